//! Which characters of a text from outside must not be shown as they are.

/// Whether a character could steer a terminal or hide in a name: control characters, and those that turn the direction of
/// writing or take no room.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE0000..=0xE007F)
}

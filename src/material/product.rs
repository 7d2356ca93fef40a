//! The product of two numbers, to see whether a modulus is that of its primes.

use zeroize::Zeroizing;

/// Multiplies two numbers, the highest byte first; the product has no zeros in front.
pub(super) fn of(one: &[u8], other: &[u8]) -> Zeroizing<Vec<u8>> {
    // The lowest byte first; a column's sum stays below 2^32 for numbers of less than 2^15 bytes.
    let mut columns = Zeroizing::new(vec![0_u32; one.len() + other.len()]);
    for (at, a) in one.iter().rev().enumerate() {
        let mut carry = 0_u32;
        for (column, b) in columns[at..].iter_mut().zip(other.iter().rev().chain(std::iter::repeat(&0))) {
            let sum = *column + u32::from(*a) * u32::from(*b) + carry;
            *column = sum & 0xff;
            carry = sum >> 8;
        }
    }
    let bytes = columns.iter().rev().map(|column| u8::try_from(*column).unwrap_or(u8::MAX));
    Zeroizing::new(bytes.skip_while(|byte| *byte == 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_multiplied() {
        for (a, b) in [(0_u64, 5_u64), (1, 1), (255, 255), (65_537, 4_294_967_295), (123_456_789, 987_654_321)] {
            let bytes =
                |number: u64| number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
            assert_eq!(*of(&bytes(a), &bytes(b)), bytes(a * b), "{a} * {b}");
        }
    }
}

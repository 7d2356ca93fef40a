//! `cmk explain`: the long story of a code.

use super::context::Context;
use super::exit::{Exit, Trouble};
use crate::diag::codes::{self, Code};
use crate::report::text::wrap;

/// Prints what a code means, why it is so, and what to do.
pub(super) fn run(context: &mut Context, id: &str) -> Result<Exit, Trouble> {
    let Some(Code { id, summary, story }) = codes::find(id) else {
        return Err(unknown(id));
    };
    context.output.document(&format!("{}\n{}\n", wrap("", "  ", &format!("{id}: {summary}")), story.trim()))?;
    Ok(Exit::Good)
}

fn unknown(id: &str) -> Trouble {
    let help = if let Some(near) = nearest(id, codes::all().map(|code| code.id)) {
        format!("did you mean {near}?")
    } else {
        let list: Vec<String> = codes::all().map(|code| format!("{}: {}", code.id, code.summary)).collect();
        format!("the codes are\n{}", list.join("\n"))
    };
    Trouble::new(format!("there is no code `{id}`")).help(help)
}

/// The code with the same digits, or with the fewest places that differ, if they are few.
fn nearest<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return None;
    }
    let asked = format!("CMK{digits:0>3}");
    let distance = |code: &str| {
        let differing = code.chars().zip(asked.chars()).filter(|(one, other)| one != other).count();
        differing + code.len().abs_diff(asked.len())
    };
    known.map(|code| (distance(code), code)).filter(|(distance, _)| *distance <= 1).min().map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_digits_and_in_spite_of_one_slip() {
        let known = || ["CMK001", "CMK021", "CMK207"].into_iter();
        assert_eq!(nearest("21", known()), Some("CMK021"));
        assert_eq!(nearest("CKM207", known()), Some("CMK207"));
        assert_eq!(nearest("CMK208", known()), Some("CMK207"));
        assert_eq!(nearest("CMK999", known()), None);
        assert_eq!(nearest("help", known()), None);
    }
}

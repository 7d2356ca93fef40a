//! `cmk sandbox advance`: time passes for the sandbox's resources, all at once.

use super::super::context::Context;
use super::super::exit::{Exit, Trouble};
use super::arguments::Where;
use super::control::{self, Place};
use super::told;
use jiff::{Span, SpanRelativeTo, Unit};
use reqwest::Method;
use serde_json::json;

/// Moves the clock, and says what time it is then.
pub(super) fn run(context: &mut Context, duration: &str, place: &Where) -> Result<Exit, Trouble> {
    let milliseconds = milliseconds(duration)?;
    let now = match control::find(context, place)? {
        Place::Running(ready) => {
            let body = json!({"milliseconds": milliseconds});
            let answer = control::ask(&ready, Method::POST, "/advance", Some(&body))?;
            answer["now"].as_str().unwrap_or_default().to_owned()
        }
        Place::Ours(sandbox) => sandbox.advance(milliseconds).map_err(told)?.whole(),
    };
    context.output.stderr.remark(&format!("For the sandbox's resources it is {now}\n"));
    Ok(Exit::Good)
}

/// An ISO 8601 duration in milliseconds. Months and years have no fixed length, and time does not run backwards.
fn milliseconds(duration: &str) -> Result<i64, Trouble> {
    let wrong = || {
        Trouble::new(format!("`{duration}` is not a duration that the clock can be moved by")).help(
            "write for example P1D, P2W or PT90M; months and years differ in length, and time does not run backwards",
        )
    };
    let span: Span = duration.parse().map_err(|_| wrong())?;
    let total = span.total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a span ends within 20,000 years, and whole milliseconds are wanted"
    )]
    let whole = total as i64;
    if whole > 0 { Ok(whole) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_of_days_hours_and_less() {
        assert_eq!(milliseconds("P1D").unwrap(), 86_400_000);
        assert_eq!(milliseconds("P1DT1H").unwrap(), 90_000_000);
        assert_eq!(milliseconds("PT0.5S").unwrap(), 500);
        for wrong in ["P1M", "P1Y", "-P1D", "PT0S", "1", "tomorrow", ""] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}

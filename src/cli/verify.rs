//! `cmk verify`: looks, and says what of the spec can be shown to hold; sends no write.

use super::arguments::Format;
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::{interrupt, session};
use crate::apply::Sight;
use crate::report::evidence;
use crate::verify;

/// Prints the evidence. Exits with 0 only when everything that the spec says was seen to hold.
pub(super) fn run(context: &mut Context, spec: &str, format: Format) -> Result<Exit, Trouble> {
    let (_, desired) = session::desired(context, spec)?;
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, plan) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(&desired, &azure, &Guards::default(), Sight::Accounts, stop, &stderr).await
    })??;
    let evidence = verify::verify(&desired, &observed);
    let text = match format {
        Format::Human => evidence::human(&evidence, context.output.stdout_styled),
        Format::Json => {
            evidence::json(&evidence, plan.tenant, &session::traffic(azure.stats(), vec![]), context.scene())
        }
    };
    context.output.document(&text)?;
    Ok(if evidence.is_proved() { Exit::Good } else { Exit::Error })
}

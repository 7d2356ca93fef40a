//! `cmk status`: looks, and says how each account of a spec stands; sends no write.

use super::arguments::StatusFormat;
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::{interrupt, session};
use crate::apply::Sight;
use crate::report::status as report;
use crate::status::{self, Alarm};

/// Prints the status. Exits with 1 when something sets off one of the alarms that were asked for.
pub(super) fn run(context: &mut Context, spec: &str, format: StatusFormat, fail_on: &[Alarm]) -> Result<Exit, Trouble> {
    let (_, desired) = session::desired(context, spec)?;
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, plan) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(&desired, &azure, &Guards::default(), Sight::Accounts, stop, &stderr).await
    })??;
    let status = status::status(&desired, &observed, &plan);
    let alarms = status.alarms(fail_on);
    let text = match format {
        StatusFormat::Human => report::human(&status, &alarms, context.output.stdout_styled),
        StatusFormat::Json => report::json(&status, &alarms, &session::traffic(azure.stats(), vec![]), context.scene()),
        StatusFormat::Markdown => report::markdown(&status, &alarms),
    };
    context.output.document(&text)?;
    Ok(if alarms.is_empty() { Exit::Good } else { Exit::Error })
}

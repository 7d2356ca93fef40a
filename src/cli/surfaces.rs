//! The surfaces of a plan: which one goes to stdout, and which are written to files, all from one observation.

use super::context::Context;
use super::exit::Trouble;
use super::{receipt, session};
use crate::apply;
use crate::azure::Azure;
use crate::model::Observed;
use crate::plan::Plan;
use crate::report::requests::Requests;
use crate::report::{human, json, markdown};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// In which forms a plan is shown.
#[derive(Debug, Args)]
pub(super) struct Surfaces {
    /// The form of the plan; `markdown` is for pull requests
    #[arg(long, value_enum, default_value_t = Surface::Human)]
    format: Surface,
    /// Write the plan to files as well, from the same look: `human=FILE,json=FILE,markdown=FILE`
    #[arg(long, value_name = "FORM=FILE", value_delimiter = ',', value_parser = Written::parse)]
    out: Vec<Written>,
    /// Show what each step will send: method, URL and body
    #[arg(long)]
    show_requests: bool,
}

/// The form of a plan. Its values explain themselves, so their comments stay out of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Surface {
    // For a person.
    Human,
    // For a program.
    Json,
    // For a pull request.
    Markdown,
}

/// A copy of the plan in a file.
#[derive(Debug, Clone)]
struct Written {
    surface: Surface,
    path: PathBuf,
}

impl Written {
    fn parse(text: &str) -> Result<Self, String> {
        let (form, path) = text.split_once('=').ok_or("a form and a file, such as `markdown=plan.md`")?;
        let surface = Surface::from_str(form, true).map_err(|_| format!("`{form}` is not human, json or markdown"))?;
        if path.is_empty() { Err("the file has no name".to_owned()) } else { Ok(Self { surface, path: path.into() }) }
    }
}

impl Surfaces {
    /// Makes sure that the files can be written, before anybody waits for a look at the cloud.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        self.out.iter().try_for_each(|copy| receipt::check(&copy.path))
    }

    /// Shows a plan in every form that was asked for.
    pub(super) fn show(
        &self,
        context: &mut Context,
        azure: &Azure,
        plan: &Plan,
        observed: &Observed,
    ) -> Result<(), Trouble> {
        let requests = if self.show_requests {
            let previews = apply::previews(plan, observed, azure.cloud());
            Some(Requests::new(previews.map_err(|failure| session::trouble(&failure))?))
        } else {
            None
        };
        let traffic = session::traffic(azure.stats(), vec![]);
        let text = |surface, styled| match surface {
            Surface::Human => human::showing(plan, requests.as_ref(), context.scene(), styled),
            Surface::Json => json::showing(plan, requests.as_ref(), &traffic, context.scene()),
            Surface::Markdown => markdown::showing(plan, requests.as_ref(), context.scene()),
        };
        for copy in &self.out {
            receipt::write(&copy.path, &text(copy.surface, false))?;
        }
        let text = text(self.format, context.output.stdout_styled);
        context.output.document(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_names_a_form_and_a_file() {
        let copy = Written::parse("markdown=a=b.md").unwrap();
        assert_eq!((copy.surface, copy.path), (Surface::Markdown, PathBuf::from("a=b.md")));
        for wrong in ["", "plan.md", "html=plan.html", "json="] {
            assert!(Written::parse(wrong).is_err(), "{wrong}");
        }
    }
}

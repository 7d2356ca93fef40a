//! A page of limited length: either everything fits, or what is left out is counted.

use super::super::sheet;
use std::collections::BTreeMap;

/// How much a page tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything.
    Whole,
    /// Of steps only what they do, not what they change.
    Titles,
    /// No steps: what they mean, as risks, access and versions, with every name.
    Groups,
    /// As much of that as there is room for.
    Cut,
}

/// A page that is being written.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    detail: Detail,
    length_max: usize,
    over: bool,
    missing: BTreeMap<&'static str, usize>,
}

/// How many names of one list a page shows that cannot show all.
const NAMES_MAX: usize = 20;

impl Page {
    pub(super) fn new(detail: Detail, length_max: usize) -> Self {
        Self { text: String::new(), detail, length_max, over: false, missing: BTreeMap::new() }
    }

    pub(super) fn detail(&self) -> Detail {
        self.detail
    }

    /// Whether it is too long already, so that writing on is in vain.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// How many names of one list are shown.
    pub(super) fn names_max(&self) -> usize {
        if self.detail == Detail::Cut { NAMES_MAX } else { usize::MAX }
    }

    /// Numbers of steps; how many, where there is no room for them.
    pub(super) fn numbers(&self, steps: &[usize]) -> String {
        match self.detail {
            Detail::Cut if steps.len() > NAMES_MAX => format!("{} steps", steps.len()),
            Detail::Whole | Detail::Titles | Detail::Groups | Detail::Cut => sheet::in_steps(steps),
        }
    }

    /// Counts what is left out.
    pub(super) fn missing(&mut self, what: &'static str, number: usize) {
        if number > 0 {
            *self.missing.entry(what).or_default() += number;
        }
    }

    /// Writes what every page has.
    pub(super) fn push(&mut self, text: &str) {
        if self.over {
            return;
        }
        // What every page has is little, and a page that is cut keeps room for it.
        self.over = self.text.len() + text.len() >= self.length_max && self.detail != Detail::Cut;
        if !self.over {
            self.text.push_str(text);
        }
    }

    /// Writes something that stands for a number of things; a page that is cut counts them when there is no room.
    pub(super) fn row(&mut self, what: &'static str, things: usize, text: &str) {
        if self.detail == Detail::Cut && self.text.len() + text.len() >= self.length_max {
            self.missing(what, things);
        } else {
            self.push(text);
        }
    }

    /// Begins a table.
    pub(super) fn table(&mut self, is_there: bool, heads: &[&str]) {
        if is_there {
            let rule: String = heads.iter().map(|_| " --- |").collect();
            self.push(&format!("| {} |\n|{rule}\n", heads.join(" | ")));
        }
    }

    /// A row of a table.
    pub(super) fn cells(&mut self, what: &'static str, things: usize, cells: &[&String]) {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.as_str()).collect();
        self.row(what, things, &format!("| {} |\n", cells.join(" | ")));
    }

    /// The text, when all of it fits.
    pub(super) fn whole(self) -> Option<String> {
        (!self.over).then_some(self.text)
    }

    /// The text as far as it fits, and what is missing.
    pub(super) fn cut(self) -> (String, BTreeMap<&'static str, usize>) {
        (self.text, self.missing)
    }
}

//! A scripted Azure for unit tests: answers in order, and remembers what was asked.

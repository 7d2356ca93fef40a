//! Codes from CMK001: the text itself, its YAML and its fields.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK001",
        summary: "the text is not YAML",
        story: "\
The text breaks a rule of YAML, so nothing after this place could be read, and nothing before it was
acted on. The place shown is where reading stopped; the slip is often one line above it: a quote or a
bracket that is never closed, a missing colon, a line that is indented by one space too few.

YAML lets indentation decide what belongs to what, so cmk does not guess: the same text read with
another guess would be another order.

What to do: look at the line shown and the one above it. Indent with spaces, two for each level; YAML
allows no tabs in indentation.",
    },
    Code {
        id: "CMK002",
        summary: "the file says nothing",
        story: "\
The file is empty, or holds only comments. An empty spec would order nothing, and is much more often a
file that was not saved, a wrong path in a pipeline, or a template that produced nothing. So it is an
error rather than a quiet success.

What to do: write a spec; the shortest one that has a meaning is `version: 1` with one account.
`specs/quickstart.yaml` is an example to start from.",
    },
    Code {
        id: "CMK003",
        summary: "more than one document in a file",
        story: "\
A line `---` begins a second YAML document. A spec is one document, because names in it refer to each
other and all its problems are reported together. Many readers silently take the first document and
leave the rest; then what stands in the second would never happen.

What to do: put each document into a file of its own, or remove the `---` and join the sections. A
single `---` at the very top is fine.",
    },
    Code {
        id: "CMK004",
        summary: "the same key twice in one mapping",
        story: "\
Two entries of one mapping have the same key. YAML forbids it, but most readers take the last one and
say nothing. With two values of `purgeProtection`, or an account that is listed twice with different
keys, that silence is dangerous. Both places are shown; what stands under the second was checked too.

What to do: keep one of the two, or move what belongs together under one key. The same section twice,
for example two `vaults:`, must become one.",
    },
    Code {
        id: "CMK005",
        summary: "a key that cannot be a name",
        story: "\
Before the colon stands nothing, `~`, `null`, a list, a mapping or an absurdly long text. In a spec the
keys are the names of fields and of Azure things, so each must be a plain text. Some readers would turn
`~` into a vault named \"~\".

What to do: write the name before the colon, as in `stquickstart:`. If the name really is `null`, put it
in quotes.",
    },
    Code {
        id: "CMK006",
        summary: "a field or an entry without a value",
        story: "\
Nothing, `~` or `null` stands behind the colon. Nothing in the language can be null: it would be unclear
whether you meant the default, an empty value, or forgot to finish the line. The usual cause is a field
that was meant to stand below an entry and is not indented far enough.

What to do: write a value, or leave the whole line out to get the default. For `create`, whose presence
alone says something, write `create: {}`. For an entry, indent its fields below its name, or write `{}`.",
    },
    Code {
        id: "CMK007",
        summary: "an alias, which is not followed",
        story: "\
YAML lets a value be named with `&name` and repeated with `*name`. Specs do not follow these aliases.
What protects data should be readable where it stands, places in messages would be ambiguous, and a few
lines of nested aliases can unfold into billions of values.

What to do: write the value out. What most entries share, namely subscription, resource group and
region, belongs into `defaults`.",
    },
    Code {
        id: "CMK008",
        summary: "a merge key, which is not followed",
        story: "\
`<<` was a proposal for YAML 1.1 that mixes another mapping into this one. It is not part of YAML 1.2,
and readers disagree about which value wins when both have a field. For a file that says which key
protects which data, that is not good enough.

What to do: write the fields out, and put what most entries share into `defaults`.",
    },
    Code {
        id: "CMK009",
        summary: "a tag, which has no meaning here",
        story: "\
A tag such as `!!str` or `!vault` tells a YAML reader which type a value has. The language has no types
of its own: each field takes one type, and text needs no mark. A tag that is quietly ignored could mean
something to another tool that reads the same file.

What to do: remove the tag. To write a number or a truth value as text, put it in quotes; names such as
`12345` are read as text without them.",
    },
    Code {
        id: "CMK010",
        summary: "nested too deep",
        story: "\
The text nests lists or mappings more than 32 levels deep. A spec needs six. Deeper nesting comes from a
bracket that is never closed, from a generator that runs in circles, or from somebody who wants to crash
the reader; so reading stops here.

What to do: look for the bracket or the indentation that began this level.",
    },
    Code {
        id: "CMK011",
        summary: "the file is too large",
        story: "\
The file is larger than 1 MiB, some ten thousand entries, and was not read. A spec of that size is
mostly the wrong file: a log, an archive, an export. A plan over so many things would also be more than
anybody reads before saying yes.

What to do: check the path. If it is a spec, split it, for example by team or by vault; each file is
planned and applied by itself.",
    },
    Code {
        id: "CMK012",
        summary: "a character that YAML does not allow",
        story: "\
The text holds a control character, or a byte order mark that is not at its very beginning. YAML forbids
them outside of escapes. They come from a terminal's colours, from copying out of a document, or from
files that were glued together; some could make a terminal show something else than what is written. A
byte order mark at the beginning is accepted.

What to do: remove the character; most editors can show what is invisible. In double quotes it can be
written as an escape, but no name in Azure holds one.",
    },
    Code {
        id: "CMK013",
        summary: "an unknown field",
        story: "\
The entry has no field of this name. If it were ignored, the file would say one thing and cmk would do
another: a misspelt `purgeProtection` would leave purge protection as it is. The words are Azure
Resource Manager's own, in camelCase, with fewer levels; what other tools call `key_type` or `sku_name`
is mostly `type` or `sku` under `create` here.

What to do: correct the word, or move the field to the entry that it belongs to. `docs/spec.md` lists
all fields; an editor with the schema `docs/cmk.schema.json` offers them while you type.",
    },
    Code {
        id: "CMK014",
        summary: "a value of the wrong type",
        story: "\
The field takes another type of value: a truth value, a whole number, text, a list or a mapping. Truth
values are `true` and `false`; `yes`, `no`, `on` and `off` are plain words, as in YAML 1.2, because
nobody wants a region called `no` to turn into false. Numbers stand without quotes; names may look like
numbers and are kept as written.

What to do: write the value as the message shows it. `docs/spec.md` gives the type of each field.",
    },
    Code {
        id: "CMK015",
        summary: "an unknown word",
        story: "\
The field takes one of a few words, and this is none of them. Words are compared exactly, with upper and
lower case, so that a file has one spelling; where yours is close to a right one, the message offers it.
cmk knows the words that make sense for customer-managed keys, and grants no permission that storage
does not use.

What to do: take one of the words that the message lists.",
    },
    Code {
        id: "CMK016",
        summary: "a required field is missing",
        story: "\
The entry cannot be understood without this field, and there is no value that would be right for
everybody. `version` says which version of the language the file is written in, so that a later cmk can
still read it as it was meant. `key` under `encryption` says which key protects the account.

What to do: add the field as the message shows it.",
    },
    Code {
        id: "CMK017",
        summary: "an unknown version of the language",
        story: "\
The file says that it is written in a version of the spec language that this cmk does not read. The rest
was not checked, because in another version the same words may mean something else.

What to do: install a cmk that reads this version. If the number is a slip, write `version: 1`.",
    },
    Code {
        id: "CMK018",
        summary: "more problems than are listed",
        story: "\
There are so many problems, in the file or in one entry of it, that listing the rest would help nobody.
Most of them probably have one cause: a wrong file, a section that is indented wrongly, or a template
that was not filled in.

What to do: solve the first ones and look again.",
    },
];

//! Where resources can live, and how a region's name is written.

use super::wire::Answer;

const REGIONS: [&str; 44] = [
    "australiacentral",
    "australiaeast",
    "australiasoutheast",
    "brazilsouth",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "centraluseuap",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus2euap",
    "francecentral",
    "germanywestcentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "koreasouth",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
];

/// Regions that keep each other's copies.
const PAIRS: [(&str, &str); 16] = [
    ("australiaeast", "australiasoutheast"),
    ("brazilsouth", "southcentralus"),
    ("canadacentral", "canadaeast"),
    ("centralindia", "southindia"),
    ("centralus", "eastus2"),
    ("centraluseuap", "eastus2euap"),
    ("eastasia", "southeastasia"),
    ("eastus", "westus"),
    ("francecentral", "francesouth"),
    ("japaneast", "japanwest"),
    ("koreacentral", "koreasouth"),
    ("northcentralus", "southcentralus"),
    ("northeurope", "westeurope"),
    ("uksouth", "ukwest"),
    ("westcentralus", "westus2"),
    ("westus3", "eastus"),
];

/// Where a region's copies are kept, if it is one of a pair.
pub(super) fn pair(region: &str) -> Option<&'static str> {
    let forth = PAIRS.iter().find(|(one, _)| *one == region).map(|(_, other)| *other);
    forth.or_else(|| PAIRS.iter().find(|(_, other)| *other == region).map(|(one, _)| *one))
}

/// What the names of regions are made of.
const WORDS: [&str; 33] = [
    "Australia",
    "Brazil",
    "Canada",
    "Central",
    "EUAP",
    "East",
    "Europe",
    "France",
    "Germany",
    "India",
    "Israel",
    "Italy",
    "Japan",
    "Korea",
    "Mexico",
    "New",
    "North",
    "Norway",
    "Poland",
    "Qatar",
    "South",
    "Africa",
    "Asia",
    "Spain",
    "Sweden",
    "Switzerland",
    "UAE",
    "UK",
    "US",
    "West",
    "Zealand",
    "2",
    "3",
];

/// `West Europe`, for `westeurope`.
pub(super) fn shown(region: &str) -> String {
    let mut rest = region;
    let mut words = Vec::new();
    while !rest.is_empty() {
        // The longest word, so that `norway` is not `north` gone wrong.
        let fits = |word: &&&str| rest.starts_with(&word.to_ascii_lowercase());
        let Some(word) = WORDS.iter().filter(fits).max_by_key(|word| word.len()) else { break };
        words.push(*word);
        rest = &rest[word.len()..];
    }
    words.join(" ")
}

/// The names of all regions.
pub(super) const fn all() -> &'static [&'static str] {
    &REGIONS
}

/// `West Europe` and `westeurope` are one region; Azure answers with the second.
pub(super) fn plain(location: &str) -> String {
    location.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// The plain name of a region in which a resource of `kind` can live.
pub(super) fn known(location: &str, kind: &str) -> Result<String, Answer> {
    let region = plain(location);
    if REGIONS.contains(&region.as_str()) {
        return Ok(region);
    }
    let list = REGIONS.join(",");
    let text = format!(
        "The provided location '{location}' is not available for resource type '{kind}'. List of available regions for the resource type is '{list}'."
    );
    Err(Answer::error(400, "LocationNotAvailableForResourceType", &text).gateway())
}

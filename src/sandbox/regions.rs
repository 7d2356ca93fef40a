//! Where resources can live, and how a region's name is written.

use super::wire::Answer;

const REGIONS: [&str; 42] = [
    "australiacentral",
    "australiaeast",
    "australiasoutheast",
    "brazilsouth",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "eastasia",
    "eastus",
    "eastus2",
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

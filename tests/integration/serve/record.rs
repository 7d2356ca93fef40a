//! The record of exchanges holds what contracts speak of, and nothing that opens anything.

use super::Served;
use serde_json::Value;

#[tokio::test]
async fn every_exchange_is_recorded_without_secrets_and_tokens() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("record.jsonl");
    let served = Served::start(&["--record", file.to_str().unwrap()]);
    let client = served.client();
    let token = served.token(&client).await;
    served.make_group(&client, "rg-recorded").await;

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(served.said("clientSecret")));
    for part in token.split('.') {
        assert!(!text.contains(part), "a part of a token is in the record");
    }
    assert!(!text.to_ascii_lowercase().contains("\"authorization\""));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<(&str, u64)> =
        lines.iter().map(|line| (line["method"].as_str().unwrap(), line["status"].as_u64().unwrap())).collect();
    assert_eq!(seen, [("POST", 200), ("POST", 200), ("PUT", 201)]);
    let put = &lines[2];
    assert_eq!(put["query"]["api-version"], "2022-09-01");
    assert_eq!(put["requestBody"]["location"], "westeurope");
    assert_eq!(put["responseBody"]["name"], "rg-recorded");
    assert!(put["responseHeaders"]["x-ms-request-id"].is_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! The directory's own interface.

use super::*;

fn graph(stage: &mut Stage, method: &str, path: &str, body: &Value) -> Heard {
    stage.at(method, "graph.microsoft.com", &format!("https://graph.microsoft.com/v1.0{path}"), body)
}

fn get(stage: &mut Stage, path: &str) -> Heard {
    graph(stage, "GET", path, &Value::Null)
}

#[test]
fn an_application_is_nobody_to_itself() {
    let mut stage = Stage::new(Pace::instant());
    let refused = get(&mut stage, "/me");
    refused.is(400, "BadRequest");
    assert!(refused.message().contains("delegated authentication flow"));
}

#[test]
fn service_principals_are_found_by_client_id_in_both_ways_that_clients_use() {
    let mut stage = Stage::new(Pace::instant());
    let filters = [
        format!("appId%20eq%20'{CLIENT_ID}'"),
        format!("servicePrincipalNames/any(c:c%20eq%20'{CLIENT_ID}')"),
        format!("servicePrincipalNames/any(x:x%20eq%20'{}')", CLIENT_ID.to_uppercase()),
    ];
    for filter in filters {
        let found = get(&mut stage, &format!("/servicePrincipals?$filter={filter}")).ok();
        let ids: Vec<&str> = found["value"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [CALLER_OBJECT_ID], "{filter}");
    }
    let nobody = get(&mut stage, &format!("/servicePrincipals?$filter=appId%20eq%20'{TENANT}'")).ok();
    assert_eq!(nobody["value"], json!([]));
    get(&mut stage, "/servicePrincipals?$filter=tags%20eq%20'a'").is(400, "Request_UnsupportedQuery");
}

#[test]
fn the_identities_of_resources_come_and_go_with_them() {
    let mut stage = Stage::new(Pace::instant());
    let own = stage.has_account("st1");
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    let other = made["properties"]["principalId"].as_str().unwrap().to_owned();
    let ask = json!({"ids": [own, other, TENANT], "types": ["servicePrincipal", "user"]});
    let names = |stage: &mut Stage| {
        let found = graph(stage, "POST", "/directoryObjects/getByIds", &ask).ok();
        let rows = found["value"].as_array().unwrap().iter();
        rows.map(|one| one["displayName"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(names(&mut stage), ["st1", "id1"]);
    stage.arm("PATCH", &account("st1"), &json!({"identity": {"type": "None"}})).ok();
    stage.arm("DELETE", &identity("id1"), &Value::Null).ok();
    assert_eq!(names(&mut stage), Vec::<String>::new());
}

#[test]
fn there_are_no_people() {
    let mut stage = Stage::new(Pace::instant());
    let filter = "$filter=userPrincipalName%20eq%20'a@example.com'";
    assert_eq!(get(&mut stage, &format!("/users?{filter}")).ok()["value"], json!([]));
    get(&mut stage, "/users/a@example.com").is(404, "Request_ResourceNotFound");
    get(&mut stage, "/drives").is(400, "BadRequest");
}

#[test]
fn the_directory_wants_a_token_of_its_own() {
    let mut stage = Stage::new(Pace::instant());
    let url = "https://graph.microsoft.com/v1.0/me";
    stage.at("GET", ARM_HOST, url, &Value::Null).is(401, "InvalidAuthenticationToken");
    let without = request("GET", url, None, &Value::Null);
    heard(stage.world.handle(stage.now, &without)).is(401, "InvalidAuthenticationToken");
}

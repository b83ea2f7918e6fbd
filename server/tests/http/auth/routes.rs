//! Every route as `/openapi.json` describes it, with a body that it accepts.

use crate::harness::Server;
use crate::support::client::{Call, path_of};
use crate::support::{Client, Value, encoded, json};
use reqwest::Method;

/// What the parameters of paths stand for.
pub struct Somebody {
    pub tenant: String,
    pub user_id: String,
    pub profile_id: String,
    pub preference_key: String,
}

impl Somebody {
    /// A user with a profile, an image of it, and a preference.
    pub async fn create(client: &Client, tenant: &str, user_id: &str) -> Self {
        let profile =
            client.profile(json!({"full_name": "Somebody", "user_id": user_id, "email_id": format!("{user_id}@example.com")})).await;
        client.put(&format!("/users/{user_id}/preferences/theme"), &json!("light")).expect(201).await;
        client.call(Method::PUT, &format!("{}/image", path_of(&profile))).body("image/png", picture()).expect(200).await;
        let profile_id = path_of(&profile).replace("/profiles/", "");
        Self { tenant: tenant.to_owned(), user_id: user_id.to_owned(), profile_id, preference_key: "theme".to_owned() }
    }

    fn fill(&self, template: &str) -> String {
        let mut path = template.to_owned();
        for (name, value) in [
            ("tenant_name", &self.tenant),
            ("user_id", &self.user_id),
            ("profile_id", &self.profile_id),
            ("preference_key", &self.preference_key),
        ] {
            path = path.replace(&format!("{{{name}}}"), &encoded(value));
        }
        assert!(!path.contains('{'), "{template} has a parameter that this test does not know: give it a value here");
        path
    }
}

/// One operation of the API.
pub struct Route {
    pub method: Method,
    pub template: String,
    operation: Value,
    body: Option<(String, Vec<u8>)>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

impl Route {
    pub fn names_tenant(&self) -> bool {
        self.template.contains("{tenant_name}")
    }

    /// Whether the path names one user or one profile.
    pub fn names_user(&self) -> bool {
        self.template.contains("{user_id}") || self.template.contains("{profile_id}")
    }

    pub fn administers_tenants(&self) -> bool {
        self.operation["tags"][0] == "tenants"
    }

    pub fn writes(&self) -> bool {
        self.method != Method::GET && !self.template.ends_with("/search")
    }

    /// Whether the description knows this status.
    pub fn describes(&self, status: u16) -> bool {
        self.operation["responses"].get(status.to_string()).is_some()
    }

    /// The request about somebody, by a client.
    pub fn call(&self, client: &Client, about: &Somebody) -> Call {
        let call = client.call(self.method.clone(), &about.fill(&self.template));
        match &self.body {
            Some((media_type, body)) => call.body(media_type, body.clone()),
            None => call,
        }
    }
}

/// All routes that need a token.
pub async fn all(server: &Server) -> Vec<Route> {
    let document = server.anonymous().get("/openapi.json").expect(200).await.json();
    let mut routes = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // An operation that says of itself that no token is needed is open: `security: [{}]`.
            if operation["security"] == json!([{}]) {
                assert!(template.starts_with("/health/"), "{template} is open to all");
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let body = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
            let body = body.map(|(media_type, content)| {
                let is_image = media_type.starts_with("image/");
                (media_type.clone(), if is_image { picture() } else { serde_json::to_vec(&example(&document, content)).unwrap() })
            });
            routes.push(Route { method, template: template.clone(), operation: operation.clone(), body });
        }
    }
    assert!(routes.len() >= 18, "{routes:?}");
    // What deletes comes last, so that the others find what they are about.
    routes.sort_by_key(|route| (route.method == Method::DELETE, !route.names_user()));
    routes
}

/// An image of one pixel.
fn picture() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(1, 1).write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A body as the description shows it: the examples of its fields, and of nothing else.
fn example(document: &Value, content: &Value) -> Value {
    if let Some(example) = content.get("example") {
        return example.clone();
    }
    let schema = &content["schema"];
    let schema = schema["$ref"].as_str().map_or(schema, |reference| document.pointer(&reference[1..]).unwrap());
    let mut body = json!({});
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let shown = property.get("example").or_else(|| property["examples"].get(0));
        if let Some(shown) = shown {
            body[name] = shown.clone();
        }
    }
    body
}

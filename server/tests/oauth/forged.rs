//! Forged and broken tokens, each refused with 401; and next to each the good token that it was made from.

use crate::support::keys::{TestKey, b64, now, with};
use crate::support::own::OwnIssuer;
use crate::support::service::Service;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// Everything that a forger could want.
struct Forger {
    issuer: OwnIssuer,
    rsa: TestKey,
    ec: TestKey,
    /// Published for encryption.
    encrypting: TestKey,
    /// Published for PS256 only.
    narrow: TestKey,
    /// The forger's own, which nobody has published.
    stranger: TestKey,
}

impl Forger {
    async fn new() -> Self {
        let issuer = OwnIssuer::start().await;
        let forger = Self {
            issuer,
            rsa: TestKey::new("rsa", Algorithm::RS256),
            ec: TestKey::new("ec", Algorithm::ES256),
            encrypting: TestKey::new("enc", Algorithm::RS256),
            narrow: TestKey::new("narrow", Algorithm::PS256),
            stranger: TestKey::new("rsa", Algorithm::RS256),
        };
        let encrypting = with(&forger.encrypting.jwk(None), json!({"use": "enc"}));
        let second = TestKey::new("rsa-2", Algorithm::RS256).jwk(None);
        forger.issuer.publish(&[forger.rsa.jwk(None), second, forger.ec.jwk(None), encrypting, forger.narrow.jwk(Some("PS256"))]);
        forger
    }

    fn good(&self) -> String {
        self.claims(json!({}))
    }

    /// A token with a valid signature and these claims.
    fn claims(&self, changes: Value) -> String {
        self.rsa.token(&self.rsa.header(), &with(&self.issuer.claims(), changes))
    }

    /// A token with a valid signature and this header.
    fn header(&self, changes: Value) -> String {
        self.rsa.token(&with(&self.rsa.header(), changes), &self.issuer.claims())
    }

    /// A token with a valid signature over these texts.
    fn texts(&self, header: &str, claims: &str) -> String {
        self.rsa.token_of_text(header, claims)
    }

    fn signed_part(&self, header: Value) -> String {
        format!("{}.{}", b64(with(&self.rsa.header(), header).to_string()), b64(self.issuer.claims().to_string()))
    }

    /// HMAC, with something public as its secret.
    fn hmac(&self, algorithm: Algorithm, secret: &[u8]) -> String {
        let signed = self.signed_part(json!({"alg": format!("{algorithm:?}")}));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &EncodingKey::from_secret(secret), algorithm).unwrap();
        format!("{signed}.{signature}")
    }

    fn algorithms(&self) -> Vec<(&'static str, String)> {
        let modulus = self.rsa.jwk(None)["n"].as_str().unwrap().to_owned();
        let none = |name: &str| format!("{}.", self.signed_part(json!({"alg": name})));
        let other_signature = self.good().rsplit_once('.').unwrap().1.to_owned();
        let ps512 = self.signed_part(json!({"alg": "PS512"}));
        let narrow = with(&self.narrow.header(), json!({"alg": "RS256"}));
        let narrow = format!("{}.{}", b64(narrow.to_string()), b64(self.issuer.claims().to_string()));
        let psychic = with(&self.ec.header(), json!({}));
        let psychic = format!("{}.{}.{}", b64(psychic.to_string()), b64(self.issuer.claims().to_string()), b64([0; 64]));
        vec![
            ("alg none without signature", none("none")),
            ("alg none with a signature", none("none") + &other_signature),
            ("alg None", none("None")),
            ("alg nOnE with a signature", none("nOnE") + &other_signature),
            ("alg empty", self.header(json!({"alg": ""}))),
            ("alg missing", self.header(json!({"alg": null}))),
            ("alg of another type", self.header(json!({"alg": ["RS256"]}))),
            ("alg in small letters", self.header(json!({"alg": "rs256"}))),
            ("HS256 with the public key", self.hmac(Algorithm::HS256, modulus.as_bytes())),
            ("HS256 with the whole JWK", self.hmac(Algorithm::HS256, self.rsa.jwk(None).to_string().as_bytes())),
            ("HS256 with an empty secret", self.hmac(Algorithm::HS256, b"")),
            ("HS512 with the public key", self.hmac(Algorithm::HS512, modulus.as_bytes())),
            ("PS512, which is not on the list", format!("{ps512}.{}", self.rsa.sign_as(&ps512, Algorithm::PS512))),
            ("ES256 by the id of an RSA key", self.header(json!({"alg": "ES256"}))),
            ("EdDSA by the id of an RSA key", self.header(json!({"alg": "EdDSA"}))),
            ("RS256 by a key for PS256 only", format!("{narrow}.{}", self.narrow.sign_as(&narrow, Algorithm::RS256))),
            ("an ECDSA signature of zeros", psychic),
            ("a key for encryption", self.encrypting.token(&self.encrypting.header(), &self.issuer.claims())),
        ]
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let own_key = self.stranger.jwk(None);
        let by_stranger = |changes: Value| self.stranger.token(&with(&self.stranger.header(), changes), &self.issuer.claims());
        vec![
            ("a stranger's signature by a known id", by_stranger(json!({}))),
            ("a stranger's signature by an unknown id", by_stranger(json!({"kid": "stranger"}))),
            ("no key id where there are several keys", self.header(json!({"kid": null}))),
            ("a key id of another type", self.header(json!({"kid": 1}))),
            ("a key id like a path", by_stranger(json!({"kid": "../../dev/null"}))),
            ("a key id like SQL", by_stranger(json!({"kid": "' or 1=1 --"}))),
            ("a huge key id", by_stranger(json!({"kid": "k".repeat(600)}))),
            ("its own key in jwk", by_stranger(json!({"jwk": own_key}))),
            ("jwk beside a valid signature", self.header(json!({"jwk": self.rsa.jwk(None)}))),
            ("its own keys at jku", by_stranger(json!({"jku": format!("{}/keys", self.issuer.url)}))),
            ("a certificate at x5u", by_stranger(json!({"x5u": "https://evil.example/cert.pem"}))),
            ("a certificate in x5c", by_stranger(json!({"x5c": ["MIIB"]}))),
            ("crit with an unknown name", self.header(json!({"crit": ["exp2"], "exp2": 1}))),
            ("crit with a known name", self.header(json!({"crit": ["kid"]}))),
            ("an empty crit", self.header(json!({"crit": []}))),
            ("b64 false", self.header(json!({"b64": false, "crit": ["b64"]}))),
            ("compressed", self.header(json!({"zip": "DEF"}))),
            ("typ JWT: an ID token", self.header(json!({"typ": "JWT"}))),
            ("typ missing", self.header(json!({"typ": null}))),
            ("typ of another token", self.header(json!({"typ": "logout+jwt"}))),
            ("typ of another type", self.header(json!({"typ": ["at+jwt"]}))),
            ("typ that begins right", self.header(json!({"typ": "at+jwt2"}))),
        ]
    }

    fn payloads(&self) -> Vec<(&'static str, String)> {
        let url = &self.issuer.url;
        vec![
            ("expired", self.claims(json!({"exp": now() - 31}))),
            ("exp missing", self.claims(json!({"exp": null}))),
            ("exp as text", self.claims(json!({"exp": (now() + 600).to_string()}))),
            ("exp negative", self.claims(json!({"exp": -1}))),
            ("exp beyond all time", self.claims(json!({"exp": 1e300}))),
            ("not valid yet", self.claims(json!({"nbf": now() + 60}))),
            ("nbf as text", self.claims(json!({"nbf": "soon"}))),
            ("issued in the future", self.claims(json!({"iat": now() + 60}))),
            ("another issuer", self.claims(json!({"iss": "https://evil.example"}))),
            ("iss missing", self.claims(json!({"iss": null}))),
            ("iss in a list", self.claims(json!({"iss": [url]}))),
            ("iss with a slash", self.claims(json!({"iss": format!("{url}/")}))),
            ("iss in capitals", self.claims(json!({"iss": url.to_uppercase()}))),
            ("another audience", self.claims(json!({"aud": "other"}))),
            ("aud missing", self.claims(json!({"aud": null}))),
            ("aud empty", self.claims(json!({"aud": []}))),
            ("aud that begins right", self.claims(json!({"aud": "n_users2"}))),
            ("aud in capitals", self.claims(json!({"aud": ["N_USERS"]}))),
            ("aud of another type", self.claims(json!({"aud": {"n_users": true}}))),
            ("sub missing", self.claims(json!({"sub": null}))),
            ("sub empty", self.claims(json!({"sub": ""}))),
            ("sub with a control character", self.claims(json!({"sub": "a\u{0}"}))),
            ("sub with a space", self.claims(json!({"sub": "tester "}))),
            ("sub of another type", self.claims(json!({"sub": 1}))),
            ("no tenant", self.claims(json!({"tenant": null}))),
            ("an empty list of tenants", self.claims(json!({"tenant": []}))),
            ("a tenant of another type", self.claims(json!({"tenant": {"name": "default"}}))),
            ("a tenant that cannot be", self.claims(json!({"tenant": ["default", "../x"]}))),
            ("scope as a list", self.claims(json!({"scope": ["profiles:read"]}))),
        ]
    }

    fn forms(&self) -> Vec<(&'static str, String)> {
        let good = self.good();
        let parts: Vec<&str> = good.split('.').collect();
        let (header, claims) = (self.rsa.header().to_string(), self.issuer.claims().to_string());
        let with_member = |json: &str, member: &str| format!("{},{member}}}", json.trim_end_matches('}'));
        let tampered = with(&self.issuer.claims(), json!({"tenant": "*"})).to_string();
        let new_header = with(&self.rsa.header(), json!({"x": 1})).to_string();
        let mut last = parts[2].to_owned().into_bytes();
        // 256 bytes leave 4 bits of the last character unused; another value of theirs would be the same signature.
        let end = last.last_mut().unwrap();
        *end = if *end == b'Q' { b'R' } else { *end + 1 };
        let standard = parts[2].replace('-', "+").replace('_', "/");
        vec![
            ("a word", "token".to_owned()),
            ("dots", "..".to_owned()),
            ("one part", parts[0].to_owned()),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{good}.{}", parts[2])),
            ("five parts, as if encrypted", format!("{good}.a.b")),
            ("a space within", format!("{}. {}.{}", parts[0], parts[1], parts[2])),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("a short signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 4])),
            ("a long signature", format!("{good}AAAA")),
            (
                "the signature of another token",
                format!("{}.{}.{}", parts[0], parts[1], self.header(json!({"x": 1})).rsplit_once('.').unwrap().1),
            ),
            ("the same signature written otherwise", format!("{}.{}.{}", parts[0], parts[1], String::from_utf8(last).unwrap())),
            ("the signature with padding", format!("{good}==")),
            ("the signature in the standard alphabet", format!("{}.{}.{standard}/", parts[0], parts[1])),
            ("claims changed after signing", format!("{}.{}.{}", parts[0], b64(tampered), parts[2])),
            ("header changed after signing", format!("{}.{}.{}", b64(new_header), parts[1], parts[2])),
            ("alg twice", self.texts(&with_member(&header, "\"alg\":\"RS256\""), &claims)),
            ("kid twice", self.texts(&with_member(&header, "\"kid\":\"rsa\""), &claims)),
            ("exp twice", self.texts(&header, &with_member(&claims, "\"exp\":9999999999"))),
            ("tenant twice", self.texts(&header, &with_member(&claims, "\"tenant\":\"*\""))),
            ("tenant twice, once in disguise", self.texts(&header, &with_member(&claims, "\"t\\u0065nant\":\"*\""))),
            ("a member twice deep within", self.texts(&header, &with_member(&claims, "\"x\":{\"y\":[{\"a\":1,\"a\":2}]}"))),
            ("a header that goes on", self.texts(&format!("{header} {{}}"), &claims)),
            ("claims that go on", self.texts(&header, &format!("{claims}{{}}"))),
            ("claims that are a list", self.texts(&header, "[]")),
            ("claims that are text", self.texts(&header, "\"claims\"")),
            ("claims that are no JSON", self.texts(&header, "exp=1")),
            ("claims that nest without end", self.texts(&header, &format!("{{\"x\":{}1{}}}", "[".repeat(400), "]".repeat(400)))),
            ("a number out of range", self.texts(&header, &with_member(&claims, "\"x\":1e999"))),
            ("a lone surrogate", self.texts(&header, &with_member(&claims, "\"x\":\"\\ud800\""))),
            ("a header that is a list", self.texts("[\"RS256\"]", &claims)),
            ("longer than 8 KiB", self.claims(json!({"x": "x".repeat(8_192)}))),
        ]
    }
}

#[tokio::test]
async fn forged_and_broken_tokens_are_refused() {
    let forger = Forger::new().await;
    let service = Service::start(&[("OAUTH_ISSUER", &forger.issuer.url)]).await;
    let cases = [forger.algorithms(), forger.headers(), forger.payloads(), forger.forms()].concat();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    for (name, token) in &cases {
        let answer = service.get("/v1/tenants/default/profiles", token).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.body["type"], "urn:n_users:problem:unauthorized", "{name}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm=\"n_users\", error=\"invalid_token\", error_description="), "{name}: {challenge}");
        // Again, now that it has been seen.
        assert_eq!(service.search("default", token).await, 401, "{name}, again");
    }
    for (good, name) in [
        (forger.good(), "RS256"),
        (forger.ec.token(&forger.ec.header(), &forger.issuer.claims()), "ES256"),
        (forger.narrow.token(&forger.narrow.header(), &forger.issuer.claims()), "PS256"),
        (forger.issuer.token(json!({})), "EdDSA"),
        (forger.claims(json!({"exp": now() - 20, "nbf": now() + 20, "iat": now() + 20})), "30 s of leeway"),
        (forger.claims(json!({"exp": (now() + 60) as f64 + 0.5})), "a time with a fraction"),
        (forger.header(json!({"x5t": "abc", "cty": "x", "other": {"a": [1, null, true, 1.5, -2]}})), "unknown parameters"),
    ] {
        assert_eq!(service.search("default", &good).await, 200, "{name}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_claims_is_told_only_of_a_valid_signature() {
    let forger = Forger::new().await;
    let service = Service::start(&[("OAUTH_ISSUER", &forger.issuer.url)]).await;
    let wrong = with(&forger.issuer.claims(), json!({"aud": "other", "exp": 1, "tenant": null}));
    let answer = service.get("/v1/tenants/default/profiles", &forger.stranger.token(&forger.stranger.header(), &wrong)).await;
    assert!(answer.detail().contains("signature is not valid"), "{answer:?}");
}

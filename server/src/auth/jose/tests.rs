//! The parser against what it must refuse, and against anything at all.

use super::*;
use proptest::prelude::*;

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn token(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", b64(header), b64(claims))
}

fn fault(token: &str) -> Option<Malformed> {
    parse(token).err()
}

#[test]
fn a_jwt_is_taken_apart() {
    let text = token(r#"{"alg":"RS256","typ":"at+jwt","kid":"k1","x5t":"ignored"}"#, r#"{"iss":"i","n":[1,{"a":null}]}"#);
    let Ok(Token::Jwt(jwt)) = parse(&text) else { panic!("not a JWT") };
    assert_eq!((jwt.alg.as_str(), jwt.typ.as_deref(), jwt.kid.as_deref()), ("RS256", Some("at+jwt"), Some("k1")));
    assert_eq!(jwt.claims["n"][1]["a"], Value::Null);
    assert_eq!(format!("{}.{}", jwt.signed, jwt.signature), text);
}

#[test]
fn what_is_no_jwt_is_opaque() {
    for opaque in ["abc", "a.b", "a.b.c", "a.b.c.d.e", "7f3c~x/+==", &format!("{}.e30.c2ln", b64("[1]"))] {
        assert!(matches!(parse(opaque), Ok(Token::Opaque)), "{opaque}");
    }
}

#[test]
fn broken_forms_are_refused() {
    let header = r#"{"alg":"RS256"}"#;
    for (text, expected) in [
        (String::new(), Malformed::Characters),
        ("=".into(), Malformed::Characters),
        ("a b".into(), Malformed::Characters),
        ("ä".into(), Malformed::Characters),
        ("a".repeat(MAX_TOKEN_BYTES + 1), Malformed::TooLong),
        (token(r#"{"alg":"RS256","alg":"none"}"#, "{}"), Malformed::Header),
        (token(r#"{"typ":"at+jwt"}"#, "{}"), Malformed::Header),
        (token(r#"{"alg":7}"#, "{}"), Malformed::Header),
        (token(r#"{"alg":"RS256","kid":["a"]}"#, "{}"), Malformed::Header),
        (token(r#"{"alg":"RS256"} x"#, "{}"), Malformed::Header),
        (token(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(513)), "{}"), Malformed::Header),
        (token(r#"{"alg":"RS256","crit":[]}"#, "{}"), Malformed::Parameter),
        (token(r#"{"alg":"RS256","jwk":{}}"#, "{}"), Malformed::Parameter),
        (token(r#"{"alg":"RS256","jku":null}"#, "{}"), Malformed::Parameter),
        (token(header, "[]"), Malformed::Claims),
        (token(header, r#"{"a":1,"a":2}"#), Malformed::Claims),
        (token(header, r#"{"a":{"b":1,"\u0062":2}}"#), Malformed::Claims),
        (token(header, r#"{"a":1e999}"#), Malformed::Claims),
        (token(header, &"[".repeat(500)), Malformed::Claims),
        (format!("{}.{}.", b64(header), b64("{}")), Malformed::Signature),
        (format!("{}.{}.c2lnA", b64(header), b64("{}")), Malformed::Signature),
        // The same bytes written otherwise: bits that base64 does not use must be 0.
        (format!("{}.{}.c2l", b64(header), b64("{}")), Malformed::Signature),
        (format!("{}.{}.YQ==", b64(header), b64("{}")), Malformed::Signature),
    ] {
        assert_eq!(fault(&text), Some(expected), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_header_or_claims_make_the_parser_panic(header in "[{}\\[\\]\":,a-z0-9\\\\ ]{0,60}", claims in "\\PC{0,60}", signature in "[A-Za-z0-9_-]{0,12}") {
        let text = format!("{}.{}.{signature}", b64(&header), b64(&claims));
        if let Ok(Token::Jwt(jwt)) = parse(&text) {
            prop_assert_eq!(format!("{}.{}", jwt.signed, jwt.signature), text);
        }
    }

    #[test]
    fn an_object_is_read_as_everybody_reads_it(members in proptest::collection::btree_map("[a-z]{1,4}", any::<i64>(), 0..6)) {
        let json = serde_json::to_vec(&members).unwrap();
        let expected: Map<String, Value> = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(object(&json), Some(expected));
    }
}

//! The parser of tokens against anything that can stand in an Authorization header: `cargo +nightly fuzz run token`

#![no_main]

use libfuzzer_sys::fuzz_target;
use n_users::auth::jose::{Token, object, parse};

fuzz_target!(|bytes: &[u8]| {
    if let Some(members) = object(bytes) {
        // What the strict reader takes, the usual one reads the same.
        let usual: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).expect("valid JSON");
        assert_eq!(members, usual);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(Token::Jwt(jwt)) = parse(text) {
        assert_eq!(format!("{}.{}", jwt.signed, jwt.signature), text);
        assert!(jwt.kid.is_none_or(|kid| kid.len() <= 512));
    }
});

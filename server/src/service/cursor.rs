//! Cursors: where a page ended, sealed. A client can neither read one (it holds a sort key, perhaps a name) nor make
//! one, nor use it for another search than its own.

use super::error::{Error, Result};
use crate::domain::invalid::Faults;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};

/// Seals and opens cursors with the secret that all nodes share.
pub struct CursorSeal {
    key: Option<RandomizedNonceKey>,
}

impl CursorSeal {
    pub fn new(secret: &[u8; 32]) -> Self {
        // 32 bytes are what this algorithm takes: there is always a key.
        Self { key: RandomizedNonceKey::new(&AES_256_GCM, secret).ok() }
    }

    /// Seals a position for use with the search that `bound_to` describes.
    pub fn seal<T: Serialize>(&self, position: &T, bound_to: &[u8]) -> Result<String> {
        let internal = |e: &str| Error::Internal(e.to_owned().into());
        let mut bytes = serde_json::to_vec(position).map_err(|e| Error::Internal(e.into()))?;
        let key = self.key.as_ref().ok_or_else(|| internal("no key for cursors"))?;
        let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut bytes).map_err(|_| internal("a cursor could not be sealed"))?;
        bytes.extend_from_slice(nonce.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a cursor; the fault says so when it is none, or not one of this search.
    pub fn open<T: DeserializeOwned>(&self, cursor: &str, bound_to: &[u8]) -> Result<T> {
        self.try_open(cursor, bound_to).ok_or_else(|| Faults::parameter("cursor", FOREIGN).into())
    }

    fn try_open<T: DeserializeOwned>(&self, cursor: &str, bound_to: &[u8]) -> Option<T> {
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let nonce: [u8; NONCE_LEN] = bytes.split_off(bytes.len().checked_sub(NONCE_LEN)?).try_into().ok()?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.as_ref()?.open_in_place(nonce, Aad::from(bound_to), &mut bytes).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

/// What a client is told.
pub const FOREIGN: &str = "must be the next_cursor of an earlier answer, sent with the same tenant, query, filter, sort_by and include_deleted; start again without it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_where_it_belongs() {
        let seal = CursorSeal::new(&[7; 32]);
        let cursor = seal.seal(&("smith", 3), b"one search").unwrap();
        assert!(!cursor.contains("smith"));
        assert_eq!(CursorSeal::new(&[7; 32]).open::<(String, i32)>(&cursor, b"one search").unwrap(), ("smith".to_owned(), 3));
        assert!(seal.open::<(String, i32)>(&cursor, b"another search").is_err());
        assert!(CursorSeal::new(&[8; 32]).open::<(String, i32)>(&cursor, b"one search").is_err());
    }

    #[test]
    fn no_tampering_and_no_rubbish_opens() {
        let seal = CursorSeal::new(&[7; 32]);
        let cursor = seal.seal(&1, b"").unwrap();
        for at in 0..cursor.len() {
            let mut tampered = cursor.clone().into_bytes();
            tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
            // The last character holds spare bits: skip what decodes to the same bytes.
            let tampered = String::from_utf8(tampered).unwrap();
            if URL_SAFE_NO_PAD.decode(&tampered).ok() != URL_SAFE_NO_PAD.decode(&cursor).ok() {
                assert!(seal.open::<i32>(&tampered, b"").is_err());
            }
        }
        for rubbish in ["", "A", "%%%", "ümläut", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(seal.open::<i32>(rubbish, b"").is_err());
        }
    }
}

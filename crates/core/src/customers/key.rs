//! A key that tokens are signed with, and the one algorithm that it is used with (RFC 8725 section 3.1). The
//! header of a token must name that algorithm, and never chooses it.

use std::str::FromStr;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, hkdf};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::CustomerError;

/// The fewest characters of a key's text: 32 random letters and digits hold more than 128 bits.
const MIN_CHARACTERS: usize = 32;

/// The purpose that a key's Ed25519 seed is derived for; the same text gives another seed for another purpose.
const SEED_PURPOSE: &[u8] = b"oxcart tokens Ed25519";

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): everybody who has the public key can verify.
    EdDsa,
    /// HMAC with SHA-256 (RFC 7518 section 3.2): everybody who can verify can also sign.
    Hs256,
}

/// The error for a text that names no supported algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of EdDSA and HS256")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        match text {
            "EdDSA" => Ok(Self::EdDsa),
            "HS256" => Ok(Self::Hs256),
            _ => Err(UnknownAlgorithm),
        }
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Hs256 => Self::HS256,
        }
    }
}

/// A key that tokens are signed with. `Debug` shows only its name.
#[derive(Clone)]
pub struct TokenKey {
    /// The name, which is in the header of every token that the key signs (`kid`).
    pub id: String,
    /// The name that the secret gives the key. Tokens of earlier releases have it in their header.
    stored_name: String,
    algorithm: Algorithm,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Option<String>,
}

/// The public half of a key, as a JSON Web Key (RFC 8037 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    r#use: &'static str,
    alg: &'static str,
    /// The key's name.
    pub kid: String,
    x: String,
}

impl TokenKey {
    /// Makes the key that the secret calls `stored_name` from `text`: for HS256 the bytes of the text, for `EdDSA`
    /// a key pair derived from it (HKDF-SHA-256, RFC 5869).
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if `text` has fewer than 32 characters, which could be guessed.
    pub fn new(
        stored_name: String,
        text: &str,
        algorithm: Algorithm,
    ) -> Result<Self, CustomerError> {
        if text.chars().count() < MIN_CHARACTERS {
            return Err(CustomerError::Credentials("the key is too short".into()));
        }
        let pair = key_pair(text).map_err(|_| no_key_pair())?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let id = thumbprint(&x);
        let (signing, verifying, public) = match algorithm {
            Algorithm::Hs256 => (
                EncodingKey::from_secret(text.as_bytes()),
                DecodingKey::from_secret(text.as_bytes()),
                None,
            ),
            Algorithm::EdDsa => {
                let private = pair.to_pkcs8v1().map_err(|_| no_key_pair())?;
                let verifying = DecodingKey::from_ed_components(&x)
                    .map_err(|error| CustomerError::Credentials(error.into()))?;
                let signing = EncodingKey::from_ed_der(private.as_ref());
                (signing, verifying, Some(x))
            }
        };
        Ok(Self {
            id,
            stored_name,
            algorithm,
            signing,
            verifying,
            public,
        })
    }

    /// Whether a token that names `id` in its header may have been signed with this key.
    #[must_use]
    pub fn is_named(&self, id: &str) -> bool {
        id == self.id || id == self.stored_name
    }

    /// Returns the public key, or `None` for HS256, which has none.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        self.public.as_ref().map(|x| PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            r#use: "sig",
            alg: "EdDSA",
            kid: self.id.clone(),
            x: x.clone(),
        })
    }

    /// Signs `claims` as a token of the type `kind`.
    ///
    /// # Errors
    /// [`CustomerError::Credentials`] if it cannot be signed.
    pub(super) fn sign(
        &self,
        kind: &str,
        claims: &impl Serialize,
    ) -> Result<String, CustomerError> {
        let mut header = Header::new(self.algorithm.into());
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.signing)
            .map_err(|error| CustomerError::Credentials(error.into()))
    }

    /// Returns the claims of `token`, if this key signed it as a token of the type `kind` from `issuer` for
    /// `audience`. The caller has to compare its times with the time of the request, not with this machine's.
    pub(super) fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        kind: &str,
        issuer: &str,
        audience: &str,
    ) -> Option<C> {
        key_id(token, kind).filter(|id| self.is_named(id))?;
        let mut validation = Validation::new(self.algorithm.into());
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let token = jsonwebtoken::decode::<C>(token, &self.verifying, &validation);
        token.ok().map(|token| token.claims)
    }
}

/// Returns the name of the key made from `text`: the thumbprint of the Ed25519 public key that is derived from it
/// (RFC 7638), also where the text signs with HS256. So two keys never share a name, and the name tells nothing of
/// the text.
///
/// # Errors
/// [`CustomerError::Credentials`] if the key pair cannot be made.
pub(super) fn name_of(text: &str) -> Result<String, CustomerError> {
    let pair = key_pair(text).map_err(|_| no_key_pair())?;
    Ok(thumbprint(&URL_SAFE_NO_PAD.encode(pair.public_key())))
}

/// Returns the thumbprint of the Ed25519 public key `x` (RFC 7638 section 3; RFC 8037 section 2 has the members).
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

fn no_key_pair() -> CustomerError {
    CustomerError::Credentials("the key pair could not be made".into())
}

pub(super) fn key_pair(text: &str) -> Result<Ed25519KeyPair, aws_lc_rs::error::Unspecified> {
    let mut seed = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"")
        .extract(text.as_bytes())
        .expand(&[SEED_PURPOSE], hkdf::HKDF_SHA256)?
        .fill(&mut seed)?;
    Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| aws_lc_rs::error::Unspecified)
}

/// Returns the name of the key that signed `token` according to its header, or `None` if it is not a token of the
/// type `kind` or has extensions that must be understood (`crit`, RFC 7515 section 4.1.11).
#[must_use]
pub(super) fn key_id(token: &str, kind: &str) -> Option<String> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let is_of_kind = header.typ.as_deref() == Some(kind) && header.crit.is_none();
    header.kid.filter(|_| is_of_kind)
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a text of the tests that is long enough";

    #[test]
    fn the_same_text_makes_the_same_key_pair_and_another_text_another() {
        let public = |text: &str| {
            let key = TokenKey::new("1".to_owned(), text, Algorithm::EdDsa).unwrap();
            key.public().unwrap().x
        };
        assert_eq!(public(TEXT), public(TEXT));
        assert_ne!(public(TEXT), public(&TEXT.replace('a', "b")));
        assert_eq!(URL_SAFE_NO_PAD.decode(public(TEXT)).unwrap().len(), 32);
    }

    /// The example of RFC 8037, appendix A.3.
    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn a_key_that_is_generated_anew_has_another_name() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let name = |text: &str| {
                let key = TokenKey::new("1".to_owned(), text, algorithm).unwrap();
                assert_eq!(key.id, name_of(text).unwrap());
                key.id
            };
            assert_eq!(name(TEXT), name(TEXT));
            assert_ne!(name(TEXT), name(&TEXT.replace('a', "b")));
        }
    }

    #[test]
    fn a_short_text_makes_no_key_and_no_error_shows_it() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let error = TokenKey::new("1".to_owned(), &TEXT[..31], algorithm).unwrap_err();
            assert!(!crate::aws::telemetry::chain(&error).contains("tests"));
            let key = TokenKey::new("1".to_owned(), TEXT, algorithm).unwrap();
            assert_eq!(format!("{key:?}"), format!("TokenKey({})", key.id));
            assert!(!key.id.contains("tests"));
        }
    }

    #[test]
    fn only_a_key_pair_has_a_public_half() {
        let key = TokenKey::new("1".to_owned(), TEXT, Algorithm::Hs256).unwrap();
        assert_eq!(key.public(), None);
    }
}

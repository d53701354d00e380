//! Forms of values for which serde's own would accept too much or report too little.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::compile::repeats;
use crate::model::{Byok, Dialect, Mode};
use crate::secret::KeyDigest;

/// Makes structs readable from JSON objects only: derived code accepts arrays too.
///
/// The structs derive `Deserialize` with `remote = "Self"`.
macro_rules! objects {
    ($($object:ty),*) => {$(
        impl<'de> serde::Deserialize<'de> for $object {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(super::de::ObjectOnly(deserializer))
            }
        }
    )*};
}
pub(super) use objects;

/// Reads a struct as a map; nothing else is asked of it.
pub(super) struct ObjectOnly<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A choice among a few words.
pub(super) trait Words: Copy + 'static {
    const EXPECTED: &'static str;
    const WORDS: &'static [(&'static str, Self)];
}

impl Words for Mode {
    const EXPECTED: &'static str = "one of `on`, `optional`, `auto`, `off`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("on", Self::On), ("optional", Self::Optional), ("auto", Self::Auto), ("off", Self::Off)];
}

impl Words for Byok {
    const EXPECTED: &'static str = "one of `off`, `preferred`, `required`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("preferred", Self::Preferred), ("required", Self::Required)];
}

impl Words for Dialect {
    const EXPECTED: &'static str = "one of `anthropic`, `openai`, `google`, `litellm`";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("anthropic", Self::Anthropic),
        ("openai", Self::OpenAi),
        ("google", Self::Google),
        ("litellm", Self::LiteLlm),
    ];
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(PhantomData))
    }
}

/// `hide_credentials`: `true`, `false` or `"verified"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HideCredentials {
    Always,
    Never,
    IfVerified,
}

impl<'de> Deserialize<'de> for HideCredentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolOrWord;

        impl<'de> Visitor<'de> for BoolOrWord {
            type Value = HideCredentials;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or `verified`")
            }

            fn visit_bool<E: de::Error>(self, hide: bool) -> Result<HideCredentials, E> {
                Ok(if hide { HideCredentials::Always } else { HideCredentials::Never })
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<HideCredentials, E> {
                match word {
                    "verified" => Ok(HideCredentials::IfVerified),
                    _ => Err(E::invalid_value(Unexpected::Other("text"), &self)),
                }
            }

            // Read to their end, so that the error is this field's and not that of a part.

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<HideCredentials, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Err(de::Error::invalid_type(Unexpected::Seq, &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<HideCredentials, A::Error> {
                while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Err(de::Error::invalid_type(Unexpected::Map, &self))
            }
        }

        deserializer.deserialize_any(BoolOrWord)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Byok {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(PhantomData))
    }
}

struct Word<T>(PhantomData<T>);

impl<T: Words> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        let known = T::WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
    }
}

/// Reads a field that may be left out: that it is `null` does not say so.
///
/// Where a field left out means all, a `null` that some template has left there would mean it, too.
pub(super) fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads an object of Envoy's, of which nothing else is checked here.
pub(super) fn object_as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    if text.get().starts_with('{') { Ok(Some(text)) } else { Err(de::Error::custom("expected an object")) }
}

/// Digits that are decoded while they are read, so that a hundred thousand keys are never in memory as text.
pub(super) struct HexDigest(pub(super) Option<KeyDigest>);

impl<'de> Deserialize<'de> for HexDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = HexDigest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hex digits")
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<HexDigest, E> {
                Ok(HexDigest(KeyDigest::from_hex(digits.strip_prefix("sha256:").unwrap_or(digits))))
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

/// A JSON object whose names the operator chooses, in their order.
pub(super) struct Named<T>(pub(super) Vec<(Box<str>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with each name once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries: Vec<(Box<str>, T)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                // After the whole object, so that the error is the object's and not the entry's.
                let repeats = !repeats(entries.iter().map(|(name, _)| &**name)).is_empty();
                if repeats { Err(de::Error::invalid_value(Unexpected::Map, &self)) } else { Ok(Named(entries)) }
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

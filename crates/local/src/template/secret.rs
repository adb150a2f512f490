//! `AWS::SecretsManager::Secret`: a value given, or generated at every start.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde_json::Value;

use super::builder::{Builder, Declared};
use super::error::Refused;
use super::reader::Properties;
use crate::model::Secret;

const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(super) fn secret(builder: &mut Builder<'_>, declared: Declared) -> Result<(), Refused> {
    let Declared {
        id,
        name,
        mut properties,
        ..
    } = declared;
    properties.take("Name");
    let given = properties.text("SecretString")?;
    let generate = properties.map("GenerateSecretString")?;
    let value = match (given, generate) {
        (Some(given), None) => given,
        (None, Some(generate)) => generated(generate)?,
        (None, None) | (Some(_), Some(_)) => {
            let problem = "expected either SecretString or GenerateSecretString";
            return Err(properties.refuse("SecretString", problem));
        }
    };
    properties.done("AWS::SecretsManager::Secret")?;
    builder.stack.secrets.insert(id, Secret { name, value });
    Ok(())
}

fn generated(mut properties: Properties) -> Result<String, Refused> {
    let password = password(&mut properties)?;
    let template = properties.json("SecretStringTemplate")?;
    let key = properties.text("GenerateStringKey")?;
    let value = match (template, key) {
        (None, None) => password,
        (Some(Value::Object(mut template)), Some(key)) => {
            template.insert(key, password.into());
            Value::Object(template).to_string()
        }
        _ => {
            let problem = "SecretStringTemplate, a map, and GenerateStringKey need each other";
            return Err(properties.refuse("SecretStringTemplate", problem));
        }
    };
    properties.done("GenerateSecretString")?;
    Ok(value)
}

fn password(properties: &mut Properties) -> Result<String, Refused> {
    let length = properties.number("PasswordLength", 1, 4096)?.unwrap_or(32) as usize;
    let excluded = properties.text("ExcludeCharacters")?.unwrap_or_default();
    let each = properties.flag("RequireEachIncludedType")?.unwrap_or(true);
    let mut kinds: Vec<Vec<char>> = Vec::new();
    let all = [
        ("ExcludeLowercase", LOWERCASE),
        ("ExcludeUppercase", UPPERCASE),
        ("ExcludeNumbers", NUMBERS),
        ("ExcludePunctuation", PUNCTUATION),
    ];
    for (exclude, characters) in all {
        let allowed = || {
            characters
                .chars()
                .filter(|character| !excluded.contains(*character))
        };
        if !properties.flag(exclude)?.unwrap_or(false) && allowed().next().is_some() {
            kinds.push(allowed().collect());
        }
    }
    if properties.flag("IncludeSpace")?.unwrap_or(false) {
        kinds.push(vec![' ']);
    }
    let every: Vec<char> = kinds.concat();
    if every.is_empty() || (each && length < kinds.len()) {
        return Err(properties.refuse("PasswordLength", "no such password exists"));
    }
    Ok(draw(
        &mut rand::rng(),
        length,
        &every,
        if each { &kinds } else { &[] },
    ))
}

fn draw(random: &mut impl Rng, length: usize, every: &[char], each: &[Vec<char>]) -> String {
    let mut drawn: Vec<char> = each
        .iter()
        .filter_map(|kind| kind.choose(random).copied())
        .collect();
    while drawn.len() < length {
        drawn.extend(every.choose(random));
    }
    drawn.shuffle(random);
    drawn.into_iter().collect()
}

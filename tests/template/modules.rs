//! How modules use each other: nowhere in a circle, and within a service from `api` down.

use std::collections::{BTreeMap, BTreeSet};

use super::read::sources;

/// Which modules each module uses; `orders::store` is `orders/store.rs`.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What the files of a service do not use: other files of theirs, and rooms of the core.
const BACKWARDS: [(&str, &[&str]); 3] = [
    ("store", &["api", "rules"]),
    ("rules", &["api", "aws", "runtime", "store"]),
    ("model", &["api", "rules", "store"]),
];

/// The rooms below the services, from the ground up.
const ROOMS: [&str; 5] = ["values", "aws", "http", "runtime", "event_log"];

/// The code of each module in `folder`, without comments and without what is for tests only.
fn code(folder: &str) -> BTreeMap<String, String> {
    let (mut code, mut for_tests) = (BTreeMap::new(), BTreeSet::new());
    for (path, text) in sources(folder) {
        let path = path.strip_prefix(folder).unwrap().with_extension("");
        let mut names: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
        names.pop_if(|name| ["lib", "mod"].contains(name));
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = text.lines();
        let lines: Vec<&str> = lines
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let declared = pair[1]
                .strip_suffix(';')
                .and_then(|d| d.rsplit_once("mod "));
            for_tests.extend(declared.map(|(_, name)| [&*names, &[name]].concat().join("::")));
        }
        code.insert(names.join("::"), lines.join("\n"));
    }
    code.retain(|module, _| {
        let inside = |tests: &String| format!("{module}::").starts_with(&format!("{tests}::"));
        !for_tests.iter().any(inside)
    });
    code
}

/// Adds the paths of a tree such as `a::{b, c::d}`, each after `before`.
fn paths(before: &str, tree: &str, found: &mut Vec<String>) {
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let (path, rest) = tree.split_at(end.unwrap_or(tree.len()));
    let path = format!("{before}{path}");
    let mut depth = 0;
    for (at, c) in rest.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match (depth, c) {
            (0, _) => break,
            (1, '{' | ',') => paths(&path, rest[at + 1..].trim_start(), found),
            _ => {}
        }
    }
    found.push(path);
}

/// `path` from the crate's root on, where it stands in `module`.
fn absolute(module: &str, path: &str) -> String {
    if let Some(path) = path.strip_prefix("crate::") {
        return path.to_owned();
    }
    let (mut base, mut path) = (module, path);
    while let Some(rest) = path.strip_prefix("super::") {
        base = base.rsplit_once("::").map_or("", |(parent, _)| parent);
        path = rest;
    }
    let path = format!("{base}::{}", path.trim_start_matches("self::"));
    path.trim_start_matches("::").to_owned()
}

fn uses(folder: &str) -> Uses {
    let code = code(folder);
    let used = |module: &String, text: &String| {
        let mut found = Vec::new();
        for (at, _) in ["use ", "crate::", "super::"]
            .iter()
            .flat_map(|start| text.match_indices(start))
        {
            if !text[..at].ends_with("::") && !text[..at].ends_with("(in ") {
                paths("", text[at..].trim_start_matches("use "), &mut found);
            }
        }
        let modules = found.into_iter().filter_map(|path| {
            let mut path = absolute(module, &path);
            while !code.contains_key(&path) {
                path.truncate(path.rfind("::")?);
            }
            (path != *module).then_some(path)
        });
        (module.clone(), modules.collect())
    };
    code.iter()
        .map(|(module, text)| used(module, text))
        .collect()
}

/// What is left of `uses` without all that uses nothing of the rest: circles, and what leads to them.
fn circles(mut uses: Uses) -> Uses {
    let ends = |uses: &Uses| {
        let mut modules = uses.iter();
        let end = modules.find(|(_, used)| !used.iter().any(|module| uses.contains_key(module)));
        end.map(|(module, _)| module.clone())
    };
    while let Some(end) = ends(&uses) {
        uses.remove(&end);
    }
    uses
}

/// `uses` between folders: modules are told apart by the first `depth` of their names.
fn folded(uses: &Uses, depth: usize) -> Uses {
    let name = |module: &String| {
        module
            .split("::")
            .take(depth)
            .collect::<Vec<_>>()
            .join("::")
    };
    let mut folded = Uses::new();
    for (module, others) in uses {
        let others = others.iter().map(name);
        let others = others.filter(|other| *other != name(module));
        folded.entry(name(module)).or_default().extend(others);
    }
    folded
}

#[test]
fn no_module_uses_itself_by_way_of_others() {
    for folder in ["crates/core/src", "crates/local/src"] {
        let uses = uses(folder);
        for depth in 1..6 {
            let circles = circles(folded(&uses, depth));
            assert!(circles.is_empty(), "{folder}: {circles:#?}");
        }
    }
}

#[test]
fn nothing_in_a_service_goes_backwards() {
    for (module, used) in uses("crates/core/src") {
        let (service, file) = module.split_once("::").unwrap_or_default();
        let layer = file.split("::").next().unwrap();
        let barred = BACKWARDS.iter().find(|(name, _)| *name == layer);
        for used in used {
            let behind = used.strip_prefix(&format!("{service}::")).unwrap_or(&used);
            let behind = behind.split("::").next().unwrap();
            let backwards = barred.is_some_and(|(_, barred)| barred.contains(&behind));
            assert!(!backwards, "{module} uses {used}");
        }
    }
}

#[test]
fn a_room_stands_on_those_below_it() {
    let room = |module: &str| module.split("::").next().unwrap().to_owned();
    for (module, used) in uses("crates/core/src") {
        let Some(level) = ROOMS.iter().position(|name| *name == room(&module)) else {
            continue;
        };
        for used in used {
            let below = ROOMS[..=level].contains(&room(&used).as_str());
            assert!(below, "{module} uses {used}");
        }
    }
}

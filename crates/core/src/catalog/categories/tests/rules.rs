//! What holds of every tree, whatever was asked for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::category;
use crate::catalog::categories::model::{CategoryError, MOST_CATEGORIES, MOST_LEVELS, Node, Tree};
use crate::catalog::categories::rules;
use crate::catalog::model::Category;
use crate::catalog::names::Names;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;

fn below(parent: Option<Category>) -> Node {
    Node {
        names: Names {
            name: "a".to_owned(),
            translations: BTreeMap::new(),
        },
        parent,
        position: 0,
    }
}

fn put(
    tree: &Tree,
    id: &Category,
    parent: Option<Category>,
) -> Result<Option<Tree>, CategoryError> {
    let now = Time::from_millis(0);
    rules::put(tree, id, below(parent), Some(&IfMatch::Any), now)
}

fn numbered(number: usize) -> Category {
    category(&format!("c{number}"))
}

proptest! {
    #[test]
    fn no_category_is_below_itself_and_none_is_too_deep(
        moves in prop::collection::vec((0..14_usize, prop::option::of(0..14_usize), any::<bool>()), 0..80),
    ) {
        let mut tree = Tree::empty();
        for (id, parent, is_removed) in moves {
            let id = numbered(id);
            let next = if is_removed {
                rules::remove(&tree, &id, &IfMatch::Any, Time::from_millis(0)).ok()
            } else {
                put(&tree, &id, parent.map(numbered)).ok().flatten()
            };
            tree = next.unwrap_or(tree);
            let ordered = tree.in_order();
            prop_assert_eq!(ordered.len(), tree.nodes.len());
            for id in tree.nodes.keys() {
                let path = tree.path(id);
                prop_assert!(path.len() <= MOST_LEVELS);
                for above in &path {
                    prop_assert!(tree.nodes.contains_key(above));
                    prop_assert!(tree.branch(above).contains(id));
                }
                let place = |id| ordered.iter().position(|listed| *listed == id);
                prop_assert!(path.windows(2).all(|pair| place(&pair[1]) < place(&pair[0])));
            }
        }
    }
}

#[test]
fn a_tree_has_ten_levels_at_most_also_by_moving_a_branch() {
    let mut tree = Tree::empty();
    for number in 0..7 {
        let parent = (number != 0 && number != 4).then(|| numbered(number - 1));
        tree = put(&tree, &numbered(number), parent).unwrap().unwrap();
    }
    // Two branches: c0 to c3, and c4 to c6.
    assert_eq!(tree.levels_below(&numbered(0)), 4);
    assert_eq!(tree.levels_below(&numbered(4)), 3);
    assert_eq!(tree.levels_below(&numbered(6)), 1);
    for number in 7..11 {
        tree = put(&tree, &numbered(number), Some(numbered(number - 1)))
            .unwrap()
            .unwrap();
    }
    // c4 to c10 are seven levels: below c2, which is the third, they are ten, and below c3 eleven.
    let refused = put(&tree, &numbered(4), Some(numbered(3)));
    assert!(matches!(refused, Err(CategoryError::TooDeep)));
    let tree = put(&tree, &numbered(4), Some(numbered(2)))
        .unwrap()
        .unwrap();
    let refused = put(&tree, &numbered(11), Some(numbered(10)));
    assert!(matches!(refused, Err(CategoryError::TooDeep)));
}

#[test]
fn a_shop_has_a_thousand_categories_at_most() {
    let mut tree = Tree::empty();
    for number in 0..MOST_CATEGORIES {
        tree.nodes.insert(numbered(number), below(None));
    }
    let refused = put(&tree, &numbered(MOST_CATEGORIES), None);
    assert!(matches!(refused, Err(CategoryError::TooMany)));
    let moved = put(&tree, &numbered(1), Some(numbered(0)));
    assert!(moved.unwrap().is_some());
}

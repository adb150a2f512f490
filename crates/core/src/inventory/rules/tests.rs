//! Every case of the decisions about reservations, and the laws of setting stock.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

const COURSES: [Course; 3] = [Course::Undecided, Course::Confirmed, Course::Closed];

fn minute(number: i64) -> Time {
    Time::from_millis(number * 60_000)
}

fn found(status: Option<ReservationStatus>) -> Option<Reservation> {
    let tea = VariantId::derived(&["tea"]);
    let order = OrderId::derived(&["order"]);
    status.map(|status| first_reservation(order, status, [(tea, 2)], minute(0)))
}

/// Returns what `decide` returns for every status, or none, and every course.
fn table(decide: impl Fn(Option<ReservationStatus>, Course) -> String) -> String {
    let statuses = [None].into_iter().chain(ReservationStatus::ALL.map(Some));
    let cells = statuses.flat_map(|status| COURSES.map(|course| (status, course)));
    let rows: Vec<String> = cells
        .map(|(status, course)| {
            let decision = decide(status, course);
            let status = status.map_or("none".to_owned(), |status| format!("{status:?}"));
            format!("{status}, {course:?}: {decision}")
        })
        .collect();
    rows.join("\n")
}

#[test]
fn stock_is_reserved_once_for_an_undecided_order_before_its_deadline() {
    let table = table(|status, course| {
        let (early, late) = (
            decide_hold(status, course, false),
            decide_hold(status, course, true),
        );
        if early == late {
            format!("{early:?}")
        } else {
            format!("{early:?}, after the deadline {late:?}")
        }
    });
    expect![[r"
        none, Undecided: Ok(Reserve), after the deadline Err(Expired)
        none, Confirmed: Err(AlreadyConfirmed)
        none, Closed: Err(AlreadyClosed)
        Held, Undecided: Ok(Done)
        Held, Confirmed: Ok(Done)
        Held, Closed: Ok(Done)
        Committed, Undecided: Ok(Done)
        Committed, Confirmed: Ok(Done)
        Committed, Closed: Ok(Done)
        Released, Undecided: Err(AlreadyClosed)
        Released, Confirmed: Err(AlreadyClosed)
        Released, Closed: Err(AlreadyClosed)
        Shipped, Undecided: Ok(Done)
        Shipped, Confirmed: Ok(Done)
        Shipped, Closed: Ok(Done)"]]
    .assert_eq(&table);
}

#[test]
fn only_the_held_stock_of_a_confirmed_order_is_committed() {
    let table = table(|status, course| {
        let next = decide_commit(found(status).as_ref(), course, minute(1));
        format!("{:?}", next.map(|next| next.map(|next| next.status)))
    });
    expect![[r"
        none, Undecided: Err(StillPending)
        none, Confirmed: Err(NothingHeld)
        none, Closed: Err(AlreadyClosed)
        Held, Undecided: Err(StillPending)
        Held, Confirmed: Ok(Some(Committed))
        Held, Closed: Err(AlreadyClosed)
        Committed, Undecided: Err(StillPending)
        Committed, Confirmed: Ok(None)
        Committed, Closed: Err(AlreadyClosed)
        Released, Undecided: Err(StillPending)
        Released, Confirmed: Err(AlreadyClosed)
        Released, Closed: Err(AlreadyClosed)
        Shipped, Undecided: Err(StillPending)
        Shipped, Confirmed: Ok(None)
        Shipped, Closed: Err(AlreadyClosed)"]]
    .assert_eq(&table);
}

#[test]
fn stock_is_released_once_and_only_for_a_closed_order() {
    let order = OrderId::derived(&["order"]);
    let table = table(|status, course| {
        match decide_release(order, found(status).as_ref(), course, minute(1)) {
            Ok(Release::Done) => "done".to_owned(),
            Ok(Release::ReleaseStock(next)) => {
                format!("{:?}, releases {} line", next.status, next.lines.len())
            }
            Ok(Release::PreventHold(next)) => {
                format!("{:?} with {} lines", next.status, next.lines.len())
            }
            Err(stop) => format!("{stop:?}"),
        }
    });
    expect![[r"
        none, Undecided: StillPending
        none, Confirmed: AlreadyConfirmed
        none, Closed: Released with 0 lines
        Held, Undecided: StillPending
        Held, Confirmed: AlreadyConfirmed
        Held, Closed: Released, releases 1 line
        Committed, Undecided: StillPending
        Committed, Confirmed: AlreadyConfirmed
        Committed, Closed: Released, releases 1 line
        Released, Undecided: StillPending
        Released, Confirmed: AlreadyConfirmed
        Released, Closed: done
        Shipped, Undecided: StillPending
        Shipped, Confirmed: AlreadyConfirmed
        Shipped, Closed: done"]]
    .assert_eq(&table);
}

#[test]
fn each_version_of_a_reservation_has_its_event_and_time_never_goes_back() {
    let held = found(Some(ReservationStatus::Held)).unwrap();
    let held = next_reservation(&held, ReservationStatus::Held, minute(5));
    let released = next_reservation(&held, ReservationStatus::Released, minute(1));
    assert_eq!((released.version, released.updated_at), (3, minute(5)));
    assert_eq!((released.event.version, released.event.at), (3, minute(5)));
    assert_eq!(released.event.event_type, "InventoryReleased");
    assert_ne!(released.event.id, held.event.id);
    assert_eq!(released.lines, held.lines);
}

#[test]
fn lines_of_one_product_are_added_up() {
    let (tea, cup) = (VariantId::derived(&["tea"]), VariantId::derived(&["cup"]));
    let most = u32::MAX;
    let lines = [(tea, most), (cup, 1), (tea, most)];
    let order = OrderId::derived(&["order"]);
    let reservation = first_reservation(order, ReservationStatus::Held, lines, minute(0));
    let quantities: BTreeMap<VariantId, u64> = reservation
        .lines
        .iter()
        .map(|line| (line.variant_id, line.quantity))
        .collect();
    assert_eq!(reservation.lines.len(), 2);
    let all = BTreeMap::from([(tea, u64::from(most) * 2), (cup, 1)]);
    assert_eq!(quantities, all);
}

fn stock(available: u64, reserved: u64, version: u64) -> Stock {
    Stock {
        available,
        reserved,
        version,
        ..first_stock(VariantId::derived(&["tea"]), 0.into(), minute(3))
    }
}

proptest! {
    #[test]
    fn setting_stock_sets_what_is_on_hand_and_keeps_what_is_reserved(
        left in 0_u64..20, reserved in 0_u64..20, on_backorder in 0_u64..9, on_hand in 0_u64..50,
        backorder in proptest::option::of(0_u64..9), now in 0_i64..6,
    ) {
        let before = Stock { backorder: on_backorder, ..stock(left + on_backorder, reserved, 7) };
        let id = before.variant_id;
        let stocks = [before.clone()];
        let level = Level { on_hand, backorder };
        let set = (on_hand, backorder.unwrap_or(on_backorder));
        match set_level(id, &stocks, level, &IfMatch::Any, minute(now)) {
            Ok(Adjustment::Unchanged) => {
                prop_assert_eq!((before.on_hand(), before.backorder), set);
            }
            Ok(Adjustment::Update(after)) => {
                prop_assert_ne!((before.on_hand(), before.backorder), set);
                prop_assert_eq!((after.on_hand(), after.backorder), set);
                prop_assert_eq!(after.reserved, reserved);
                prop_assert_eq!((after.version, after.event.version), (8, 8));
                prop_assert!(after.updated_at >= before.updated_at);
            }
            Err(StockError::BelowReserved { reserved: named, least }) => {
                prop_assert!(set.0 + set.1 < reserved);
                prop_assert_eq!((named, least + set.1), (reserved, reserved));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_tag_matches_only_its_own_state(
        version in 1_u64..4, reserved in 0_u64..4, other_version in 1_u64..4, other in 0_u64..4,
    ) {
        let stocks = [stock(9, reserved, version)];
        let expected = IfMatch::Tags(vec![stock_tag(&[stock(9, other, other_version)])]);
        let set = set_level(stocks[0].variant_id, &stocks, 30.into(), &expected, minute(0));
        let same = (version, reserved) == (other_version, other);
        prop_assert_eq!(set.is_ok(), same);
    }
}

#[test]
fn only_a_star_creates_the_first_stock() {
    let tea = VariantId::derived(&["tea"]);
    let tags = IfMatch::Tags(vec![stock_tag(&[])]);
    let set = set_level(tea, &[], 5.into(), &tags, minute(0));
    assert!(matches!(set, Err(StockError::Stale)), "{set:?}");
    let set = set_level(tea, &[], 5.into(), &IfMatch::Any, minute(0)).unwrap();
    assert_eq!(
        set,
        Adjustment::Create(first_stock(tea, 5.into(), minute(0)))
    );
}

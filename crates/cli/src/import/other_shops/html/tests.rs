use proptest::prelude::*;

use super::*;

fn to_text(html: &str) -> Text {
    super::to_text(html, Lines::Blank)
}

#[test]
fn paragraphs_lines_and_list_items_stay_apart() {
    for (html, text) in [
        ("<p>One <b>two</b>.</p>\n<p>Three</p>", "One two.\n\nThree"),
        (
            "One<br>two<br/>three<BR /><br>four",
            "One\ntwo\nthree\n\nfour",
        ),
        (
            "<ul>\n <li>a</li>\n <li>b &amp; c</li></ul>end",
            "- a\n- b & c\n\nend",
        ),
        (
            "<table><tr><th>Size</th><td>M</td></tr><tr><td>x</td></tr></table>",
            "Size\tM\nx",
        ),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<h2>Title</h2>Text", "Title\n\nText"),
        ("a&nbsp;&nbsp;b \u{feff} c", "a b c"),
    ] {
        assert_eq!(to_text(html).text, text, "{html}");
    }
}

#[test]
fn text_without_tags_keeps_its_lines() {
    assert_eq!(
        to_text("One\r\ntwo\n\n\nthree  four").text,
        "One\ntwo\n\nthree four"
    );
    assert_eq!(to_text("1 < 2 & 3 > 2 <3").text, "1 < 2 & 3 > 2 <3");
}

#[test]
fn lines_are_kept_where_they_are_shown() {
    let html = "One <b>two</b>\nthree\n\nfour\n<ul>\n\n<li>a</li>\n<li>b</li>\n</ul>\nfive";
    let text = super::to_text(html, Lines::Kept).text;
    assert_eq!(text, "One two\nthree\n\nfour\n\n- a\n- b\n\nfive");
}

#[test]
fn what_is_not_shown_is_no_text() {
    for html in [
        "a<!-- <b>no</b> -->b",
        "a<script>if (1 < 2) { \"</p>\" }</SCRIPT >b",
        "a<style>p > a { }</style>b",
        "a<span title=\"x > y\">b</span>",
        "a<span title='x\">b",
    ] {
        assert_eq!(to_text(html).text, "ab", "{html}");
    }
}

#[test]
fn links_and_pictures_are_lost() {
    assert!(to_text("See <a href=\"https://example.com\">this</a>").lost);
    assert!(to_text("<p><IMG src=x></p>").lost);
    assert!(!to_text("<abbr>a</abbr><p>img</p>").lost);
}

#[test]
fn long_nonsense_takes_little_time() {
    for part in [
        "<", "<a", "<a \"", "<a '\"", "<!--", "</script", "<script>", "&amp", "<p><li>",
    ] {
        let html = part.repeat(1024 * 1024 / part.len());
        let start = std::time::Instant::now();
        assert!(to_text(&html).text.len() <= 2 * html.len());
        assert!(start.elapsed().as_secs() < 20, "{part}");
    }
}

proptest! {
    #[test]
    fn text_has_no_control_characters_and_no_space_at_its_ends(
        html in "([<>/!&;\"' a-c\n\t\u{0}\u{7f}\u{a0}]|<li>|<p>|&#x7;|&#9;|&nbsp;|ä){0,60}"
    ) {
        let text = to_text(&html).text;
        prop_assert_eq!(text.trim(), &text);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{:?}", text);
    }
}

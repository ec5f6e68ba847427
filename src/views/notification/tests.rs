use serde_json::Value;

use super::*;

fn notification(details: &[String]) -> Notification {
    let occasion =
        Occasion { at: "2026-03-02T09:00:00Z".parse().unwrap(), host: "runner01".into(), exit_code: 6 };
    Notification::of_error(Some("contoso"), "the run stopped", details, &["look".to_owned()], occasion)
}

#[test]
fn names_from_servers_are_no_links_and_no_mentions() {
    let hostile = "<!channel> [here](https://evil.example) *bold* \u{1b}[31m \u{202e}";
    let notification = notification(&[hostile.to_owned()]);
    let slack: Value = serde_json::from_slice(&slack(&notification)).unwrap();
    for block in slack["blocks"].as_array().unwrap() {
        let texts = block["elements"].as_array().cloned().unwrap_or_else(|| vec![block["text"].clone()]);
        assert!(texts.iter().all(|text| text["type"] == "plain_text" && text["emoji"] == false), "{block}");
    }
    assert!(!slack["text"].as_str().unwrap().contains('<'));
    let teams: Value = serde_json::from_slice(&teams(&notification)).unwrap();
    let body = teams["attachments"][0]["content"]["body"].as_array().unwrap();
    assert!(body.iter().all(|block| block["type"] == "RichTextBlock"), "{teams}");
    for text in [slack.to_string(), teams.to_string()] {
        assert!(text.contains("\\\\u001b") && text.contains("\\\\u202e"), "{text}");
    }
}

#[test]
fn what_is_left_out_is_counted_and_chats_are_kept_within_their_bounds() {
    let notification =
        notification(&(0..50).map(|number| format!("{number} {}", "ä".repeat(900))).collect::<Vec<_>>());
    assert_eq!((notification.details.len(), notification.omitted), (20, 30));
    let message: Value = serde_json::from_slice(&slack(&notification)).unwrap();
    let list = message["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(list.chars().count() <= 3_000, "Slack refuses more");
    // Teams refuses messages of more than 28 KB.
    let card = teams(&notification);
    assert!(card.len() < 28_000, "{}", card.len());
    assert!(String::from_utf8(card).unwrap().contains("and 30 more"));
}

//! The shapes of chats. Texts come from servers and files, so they are given as plain text, in which nothing is a link, a
//! mention or an emphasis.

use serde_json::{Value, json};

use super::{Notification, shorten};
use crate::{
    json::{self, Spacing},
    manifest::NotifyEvent,
    views::harmless,
};

/// A message for an incoming webhook of Slack (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
pub fn slack(notification: &Notification) -> Vec<u8> {
    let title = plain(&headline(notification));
    let mut header = title.clone();
    shorten(&mut header, 150);
    let mut blocks = vec![json!({ "type": "header", "text": text(&header) })];
    let lines = notification.lines();
    if !lines.is_empty() {
        let mut list = lines.iter().map(|line| format!("• {}", plain(line))).collect::<Vec<_>>().join("\n");
        shorten(&mut list, 3_000);
        blocks.push(json!({ "type": "section", "text": text(&list) }));
    }
    if !notification.next.is_empty() {
        let mut next = format!("Next: {}", plain(&notification.next.join("; ")));
        shorten(&mut next, 3_000);
        blocks.push(json!({ "type": "section", "text": text(&next) }));
    }
    blocks.push(json!({ "type": "context", "elements": [text(&foot(notification))] }));
    // What is shown where blocks are not, such as on a locked screen. `<`, `>` and `&` mean something there.
    let fallback = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    bytes(&json!({ "text": fallback, "blocks": blocks }))
}

/// A message with an Adaptive Card for a workflow of Teams
/// (<https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams>).
pub fn teams(notification: &Notification) -> Vec<u8> {
    let colour = match notification.event {
        NotifyEvent::Failed => "Attention",
        NotifyEvent::Drift if notification.differences.is_empty() => "Good",
        NotifyEvent::Drift | NotifyEvent::Waiting => "Warning",
        NotifyEvent::Done => "Good",
    };
    // Text of a TextBlock is Markdown; a run of a RichTextBlock is not.
    let run = |text: &str| json!({ "type": "TextRun", "text": plain(text) });
    let paragraph = |run: Value| json!({ "type": "RichTextBlock", "inlines": [run] });
    let title = json!({
        "type": "TextRun", "text": plain(&headline(notification)), "weight": "Bolder", "size": "Medium", "color": colour,
    });
    let mut body = vec![paragraph(title)];
    body.extend(notification.lines().iter().map(|line| paragraph(run(&format!("• {line}")))));
    body.extend(notification.next.iter().map(|next| paragraph(run(&format!("→ {next}")))));
    let foot = json!({ "type": "TextRun", "text": foot(notification), "isSubtle": true, "size": "Small" });
    body.push(paragraph(foot));
    bytes(&json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": body,
            },
        }],
    }))
}

/// The title after a word or sign that tells at a glance what it is.
fn headline(notification: &Notification) -> String {
    let sign = match notification.event {
        NotifyEvent::Failed => "✗",
        NotifyEvent::Waiting => "…",
        NotifyEvent::Drift if notification.differences.is_empty() => "✓",
        NotifyEvent::Drift => "≠",
        NotifyEvent::Done => "✓",
    };
    format!("{sign} {}", notification.title)
}

fn foot(notification: &Notification) -> String {
    format!("certwright on {}, {}", plain(&notification.host), notification.at)
}

fn text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

fn plain(text: &str) -> String {
    harmless(text).into_owned()
}

fn bytes(message: &Value) -> Vec<u8> {
    json::bytes(message, Spacing::Line).expect("a value is JSON")
}

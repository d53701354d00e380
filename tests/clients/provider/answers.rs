//! What the provider says: `hello`, in the form of the API that was asked; streamed, in two parts.

use serde_json::{Value, json};

use super::http::Request;

pub(crate) const FIRST: &str = "he";
pub(crate) const REST: &str = "llo";

/// A body.
pub(super) enum Answer {
    Whole(Value),
    /// Server-sent events; those of `rest` are sent once the client has shown those of `first`.
    Events {
        first: Vec<String>,
        rest: Vec<String>,
    },
}

/// Answers a request; `None` where no API has that path.
pub(super) fn answer(request: &Request) -> Option<Answer> {
    let path = request.path();
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let streamed = body["stream"] == true;
    let answer = match path {
        _ if path.ends_with("/messages/count_tokens") => Answer::Whole(json!({ "input_tokens": 3 })),
        _ if path.ends_with("/messages") => {
            if streamed {
                message_events()
            } else {
                Answer::Whole(message())
            }
        }
        _ if path.ends_with("/chat/completions") => {
            if streamed {
                completion_events()
            } else {
                Answer::Whole(completion())
            }
        }
        _ if path.ends_with("/responses") => {
            if streamed {
                response_events()
            } else {
                Answer::Whole(response())
            }
        }
        _ if path.ends_with(":generateContent") => Answer::Whole(content("hello", true)),
        _ if path.ends_with(":streamGenerateContent") => {
            Answer::Events { first: vec![data(&content(FIRST, false))], rest: vec![data(&content(REST, true))] }
        }
        _ => return None,
    };
    Some(answer)
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// The name of such an event is also its `type`.
fn named(value: &Value) -> String {
    format!("event: {}\n{}", value["type"].as_str().unwrap_or_default(), data(value))
}

fn message() -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [ { "type": "text", "text": "hello" } ], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 1, "output_tokens": 1 },
    })
}

fn message_events() -> Answer {
    let start = json!({
        "type": "message_start",
        "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 },
        },
    });
    let block = json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } });
    let delta = |text: &str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
    let end = json!({
        "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
        "usage": { "output_tokens": 2 },
    });
    let rest =
        [delta(REST), json!({ "type": "content_block_stop", "index": 0 }), end, json!({ "type": "message_stop" })];
    Answer::Events {
        first: [start, block, delta(FIRST)].iter().map(named).collect(),
        rest: rest.iter().map(named).collect(),
    }
}

fn completion() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [ { "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "hello" } } ],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
    })
}

fn completion_events() -> Answer {
    let chunk = |delta: Value, finish: Option<&str>| {
        data(&json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
            "choices": [ { "index": 0, "delta": delta, "finish_reason": finish } ],
        }))
    };
    Answer::Events {
        first: vec![chunk(json!({ "role": "assistant", "content": FIRST }), None)],
        rest: vec![
            chunk(json!({ "content": REST }), None),
            chunk(json!({}), Some("stop")),
            "data: [DONE]\n\n".to_owned(),
        ],
    }
}

fn response() -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o",
        "output": [ response_item("completed", Some("hello")) ], "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 1, "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": 1, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 2,
        },
    })
}

fn response_item(status: &str, text: Option<&str>) -> Value {
    let content: Vec<Value> =
        text.iter().map(|text| json!({ "type": "output_text", "text": text, "annotations": [] })).collect();
    json!({ "type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": content })
}

fn response_events() -> Answer {
    let mut created = response();
    created["status"] = "in_progress".into();
    created["output"] = json!([]);
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    let at = json!({ "item_id": "msg_1", "output_index": 0, "content_index": 0 });
    let with = |kind: &str, name: &str, value: Value| {
        let mut event = at.clone();
        event["type"] = kind.into();
        event[name] = value;
        event
    };
    let events = [
        json!({ "type": "response.created", "response": created }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": response_item("in_progress", None) }),
        with("response.content_part.added", "part", part("")),
        with("response.output_text.delta", "delta", FIRST.into()),
        with("response.output_text.delta", "delta", REST.into()),
        with("response.output_text.done", "text", "hello".into()),
        with("response.content_part.done", "part", part("hello")),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": response_item("completed", Some("hello")) }),
        json!({ "type": "response.completed", "response": response() }),
    ];
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = number.into();
        named(&event)
    });
    let mut first: Vec<String> = numbered.collect();
    let rest = first.split_off(4);
    Answer::Events { first, rest }
}

fn content(text: &str, last: bool) -> Value {
    let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": [ { "text": text } ] } });
    if last {
        candidate["finishReason"] = "STOP".into();
    }
    json!({
        "candidates": [ candidate ], "modelVersion": "gemini-2.5-flash",
        "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2 },
    })
}

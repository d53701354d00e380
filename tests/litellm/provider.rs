//! Anthropic and OpenAI on the loopback: they answer anybody, and write down what they are sent.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::http::{self, Message};

/// A server that lives as long as the test.
pub(crate) struct Provider {
    address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Message>>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&arrivals);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                thread::spawn(move || drop(serve(connection, &shared)));
            }
        });
        Self { address, arrivals }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.arrivals.lock().expect("no panic in the provider"))
    }
}

fn serve(mut connection: TcpStream, arrivals: &Mutex<Vec<Message>>) -> io::Result<()> {
    let request = http::read(&mut connection)?;
    let body = answer(&request.start).to_string();
    // LiteLLM asks for the list of models on its own.
    if !request.start.starts_with("GET") {
        arrivals.lock().expect("no panic in the provider").push(request);
    }
    let size = body.len();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n{body}"
    )
}

fn answer(start: &str) -> Value {
    if start.contains("/chat/completions") {
        return json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
            "choices": [ { "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "hello" } } ],
            "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
        });
    }
    if start.contains("/responses") {
        let text = json!({ "type": "output_text", "text": "hello", "annotations": [] });
        let message = json!({
            "type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [ text ],
        });
        return json!({
            "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o",
            "output": [ message ], "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
            "usage": {
                "input_tokens": 1, "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": 1, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 2,
            },
        });
    }
    if start.contains("/count_tokens") {
        return json!({ "input_tokens": 3 });
    }
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [ { "type": "text", "text": "hello" } ], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 1, "output_tokens": 1 },
    })
}

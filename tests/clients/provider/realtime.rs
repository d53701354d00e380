//! The other end of a realtime WebSocket: a session, and `hello` for each response that is asked for.

use std::io::{self, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use super::http::Request;

/// Accepts the upgrade, and talks until the client leaves.
pub(super) fn serve(connection: BufReader<TcpStream>, request: &Request) -> io::Result<()> {
    let mut connection = connection.into_inner();
    let accept = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
    let offered = request.header("sec-websocket-protocol").unwrap_or_default();
    let chosen = offered.split(',').map(str::trim).find(|item| *item == "realtime");
    let protocol = chosen.map(|name| format!("sec-websocket-protocol: {name}\r\n")).unwrap_or_default();
    write!(
        connection,
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\n{protocol}\r\n"
    )?;
    let mut socket = WebSocket::from_raw_socket(connection, Role::Server, None);
    let session = json!({
        "type": "session.created", "event_id": "event_0",
        "session": { "type": "realtime", "id": "sess_1", "object": "realtime.session", "model": "gpt-realtime" },
    });
    say(&mut socket, &session)?;
    loop {
        // A client that leaves without a word is gone all the same.
        let Ok(message) = socket.read() else { return Ok(()) };
        let asked: Value = message.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if asked["type"] == "response.create" {
            let at = json!({ "response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0 });
            let mut delta = at;
            delta["type"] = "response.output_text.delta".into();
            delta["event_id"] = "event_1".into();
            delta["delta"] = "hello".into();
            say(&mut socket, &delta)?;
            let response =
                json!({ "id": "resp_1", "object": "realtime.response", "status": "completed", "output": [] });
            say(&mut socket, &json!({ "type": "response.done", "event_id": "event_2", "response": response }))?;
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, event: &Value) -> io::Result<()> {
    socket.send(Message::text(event.to_string())).map_err(io::Error::other)
}

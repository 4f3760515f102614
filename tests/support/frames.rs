//! HTTP/2 by hand, frame by frame: enough to answer, refuse, cut and go away.

use tokio::io::{AsyncRead, AsyncWrite};

use super::server::Connection;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The index of `:status 200` in HPACK's static table.
const STATUS_200: &[u8] = &[0x88];

/// A connection on which both preface and settings were exchanged.
pub struct Frames<S>(Connection<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    pub const NO_ERROR: u32 = 0;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const REFUSED_STREAM: u32 = 7;

    pub async fn accept(mut connection: Connection<S>) -> Option<Self> {
        let mut preface = [0; PREFACE.len()];
        connection.read_exact(&mut preface).await?;
        assert_eq!(preface, PREFACE, "the client does not speak HTTP/2");
        let mut frames = Self(connection);
        frames.frame(SETTINGS, 0, 0, &[]).await;
        Some(frames)
    }

    /// Which connection of the server this is, from 1.
    pub fn number(&self) -> usize {
        self.0.number
    }

    pub fn hits(&self) -> usize {
        self.0.hits()
    }

    /// Waits for the next request and gives its stream; `None` once the
    /// client has left.
    pub async fn request(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await?;
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await?;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match kind {
                SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[]).await,
                PING if flags & ACK == 0 => self.frame(PING, ACK, 0, &payload).await,
                HEADERS => {
                    self.0.count_hit(format!("stream {stream}"));
                    return Some(stream);
                }
                _ => {}
            }
        }
    }

    /// Status 200 with the whole of `body`.
    pub async fn answer(&mut self, stream: u32, body: &[u8]) {
        self.start(stream, body).await;
        self.frame(DATA, END_STREAM, stream, &[]).await;
    }

    /// Status 200 with a part of a body, and more to come.
    pub async fn start(&mut self, stream: u32, body: &[u8]) {
        self.frame(HEADERS, END_HEADERS, stream, STATUS_200).await;
        self.frame(DATA, 0, stream, body).await;
    }

    /// Ends one stream with an error.
    pub async fn reset(&mut self, stream: u32, error: u32) {
        self.frame(RST_STREAM, 0, stream, &error.to_be_bytes()).await;
    }

    /// Says that no stream above `last` was looked at.
    pub async fn go_away(&mut self, last: u32, error: u32) {
        let payload = [last.to_be_bytes(), error.to_be_bytes()].concat();
        self.frame(GO_AWAY, 0, 0, &payload).await;
    }

    async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.send(frame).await;
    }
}

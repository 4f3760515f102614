//! The other side: a process of its own, so that its work is not counted as
//! the client's. Answers every request from a constant buffer.

use std::{
    io::{self, BufRead as _, BufReader, Read as _},
    process::{self, Child, Command, Stdio},
    thread,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::variants::Failure;

/// The argument that makes this program the server.
pub const ARGUMENT: &str = "--server";

/// The example `others` of the document.
const BODY: &str = concat!(
    r#"{"code":200,"timestamp":1763446641000,"transaction_id":"07457fe3-fb26-4e02-bfdb-5a396c80ffea000","#,
    r#""data":{"status_cd":"1","data":{"all_oth":{"#,
    r#""b2b":{"noaction":11,"reject":0,"pending":0,"accept":1},"#,
    r#""b2ba":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""b2bcn":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""b2bcna":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""b2bdn":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""b2bdna":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""ecom":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""ecoma":{"noaction":0,"reject":0,"pending":0,"accept":0},"#,
    r#""ttl_cnt":12}}}}"#,
);

/// What the body says in all.
pub const TOTAL: u64 = 12;

/// The head that the provider's page shows, with its ids.
fn answer() -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\n\
         Date: Fri, 22 Nov 2024 12:51:21 GMT\r\n\
         Content-Type: application/json\r\n\
         Content-Length: {}\r\n\
         Connection: keep-alive\r\n\
         x-amzn-RequestId: 1348087d-47bc-4298-a5cb-cf7c57711271\r\n\
         x-amz-apigw-id: BpipmHSMBcwFjNw=\r\n\
         X-Amzn-Trace-Id: Root=1-67407e3d-0a882b034f2a811b1e684f7c;Parent=54897bc1de6227ae;Sampled=0\r\n\
         \r\n{BODY}",
        BODY.len()
    )
    .into_bytes()
}

/// Serves until its standard input is closed, which the end of the parent does.
#[tokio::main(flavor = "current_thread")]
pub async fn run() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0)
    });
    let answer: &'static [u8] = answer().leak();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, answer));
    }
}

/// One request after the other; none has a body.
async fn serve(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::with_capacity(4096);
    while stream.read_buf(&mut request).await? > 0 {
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(answer).await?;
        }
    }
    Ok(())
}

/// The server process, ended with this value.
pub struct Server {
    child: Child,
    pub base_url: String,
}

impl Server {
    pub fn start() -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut address)?;
        Ok(Self { child, base_url: format!("http://{}", address.trim()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

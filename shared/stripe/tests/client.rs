//! The client against a small HTTP server on this machine.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, but not in their helpers")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use guerdon_domain::{
    ids::CustomerId,
    money::{Currency, Money},
    time::Timestamp,
};
use guerdon_stripe::{call_error::StripeCallError, client::StripeClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The server's answer to one request.
#[derive(Clone)]
enum Answer {
    Json(u16, String),
    HangUp,
    Silence,
}

#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: String,
    body: String,
}

/// A stand-in for Stripe that gives the listed answers in order, and keeps the requests.
struct FakeStripe {
    base_url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeStripe {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/sim/stripe", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = read_request(&mut socket).await;
                seen.lock().unwrap().push(request);
                reply(&mut socket, answer).await;
            }
        });
        Self { base_url, requests }
    }

    fn client(&self) -> StripeClient {
        let client = StripeClient::try_new("sk_test_A1", Some(&self.base_url)).unwrap();
        client.with_timeout(Duration::from_millis(500))
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(socket: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = socket.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (line, headers) = head.split_once("\r\n").unwrap();
        let headers = headers.to_ascii_lowercase();
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Request { line: line.to_owned(), headers, body: body.to_owned() };
        }
    }
}

async fn reply(socket: &mut TcpStream, answer: Answer) {
    match answer {
        Answer::HangUp => {}
        Answer::Silence => tokio::time::sleep(Duration::from_secs(5)).await,
        Answer::Json(status, body) => {
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

/// A balance transaction as Stripe renders it, without the fields that may be null.
fn transaction(id: &str, posting: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"customer_balance_transaction","type":"adjustment","amount":-1000,
        "currency":"usd","customer":"cus_A1","created":1795253400,"ending_balance":-1000,"livemode":false,
        "metadata":{{"posting":"{posting}"}}}}"#
    )
}

/// The fields of a form or a query, sorted.
fn decoded(form: &str) -> Vec<String> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{form}")).unwrap();
    let mut fields: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    fields.sort_unstable();
    fields
}

fn page(transactions: &[String], has_more: bool) -> Answer {
    let url = "/v1/customers/cus_A1/balance_transactions";
    let data = transactions.join(",");
    Answer::Json(200, format!(r#"{{"object":"list","data":[{data}],"has_more":{has_more},"url":"{url}"}}"#))
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    let code = if code.is_empty() { String::new() } else { format!(r#""code":"{code}","#) };
    Answer::Json(status, format!(r#"{{"error":{{{code}"message":"{message}","type":"{kind}"}}}}"#))
}

fn customer() -> CustomerId {
    CustomerId::parse("cus_A1").unwrap()
}

async fn post(client: &StripeClient) -> Result<String, StripeCallError> {
    let credit = Money::new(-1000, Currency::USD);
    let metadata = [("posting", "refcredit:A1")];
    client
        .post_balance_transaction(&customer(), credit, "refcredit:A1", &metadata, "Referral credit: A & B")
        .await
}

async fn find(client: &StripeClient, since: Option<Timestamp>) -> Result<Option<String>, StripeCallError> {
    client.find_balance_transaction(&customer(), "posting", "refcredit:A1", since).await
}

#[tokio::test]
async fn posts_credit_under_the_base_path() {
    let stripe = FakeStripe::start(vec![Answer::Json(200, transaction("cbtxn_A1", "refcredit:A1"))]).await;
    assert_eq!(post(&stripe.client()).await, Ok("cbtxn_A1".to_owned()));

    let requests = stripe.requests();
    let [request] = requests.as_slice() else { panic!("one request: {requests:?}") };
    assert_eq!(request.line, "POST /sim/stripe/v1/customers/cus_A1/balance_transactions HTTP/1.1");
    for header in
        ["idempotency-key: refcredit:a1", "authorization: bearer sk_test_a1", "stripe-version: 2026-"]
    {
        assert!(request.headers.contains(header), "{header} in {}", request.headers);
    }
    assert!(
        request.headers.contains("content-type: application/x-www-form-urlencoded"),
        "{}",
        request.headers
    );
    assert_eq!(
        decoded(&request.body),
        [
            "amount=-1000",
            "currency=usd",
            "description=Referral credit: A & B",
            "metadata[posting]=refcredit:A1"
        ]
    );
}

const INVALID: &str = "invalid_request_error";

/// Errors that no second attempt changes: the code and the message that the caller sees.
fn refusals() -> [(Answer, &'static str, &'static str); 4] {
    let missing = "No such customer: 'cus_A1'";
    [
        (error(404, INVALID, "resource_missing", missing), "resource_missing", missing),
        (error(400, INVALID, "resource_missing", missing), "resource_missing", missing),
        (error(400, INVALID, "", "Nope"), INVALID, "Nope"),
        (error(402, "card_error", "", "Nope sk_test_A1"), "card_error", "Nope (secret)"),
    ]
}

/// Errors after which nothing has happened, and the call may succeed later.
fn busy() -> [(Answer, &'static str); 6] {
    let twin = "idempotency_key_in_use";
    [
        (error(429, INVALID, "rate_limit", "Too many"), "rate_limit"),
        (error(429, INVALID, "lock_timeout", "Locked"), "lock_timeout"),
        (error(429, INVALID, "", "Too many"), "rate_limit"),
        (error(409, "idempotency_error", twin, "Twin"), twin),
        (error(401, INVALID, "", "Invalid API Key: sk_test_****A1"), "unauthorized"),
        (error(403, INVALID, "", "Not for this key"), "unauthorized"),
    ]
}

/// Answers after which the effect may exist or not.
fn unknown() -> [(Answer, &'static str); 7] {
    let reused = "the idempotency key was used with other parameters";
    let unreadable = "the answer could not be read";
    [
        (error(400, "idempotency_error", "", "Keys for idempotent requests"), reused),
        (error(500, "api_error", "", "Oops"), "Stripe failed"),
        (error(424, "api_error", "", "Oops"), "Stripe failed"),
        (Answer::Json(502, "<html>Bad gateway</html>".into()), unreadable),
        (Answer::Json(200, "{}".into()), unreadable),
        (Answer::HangUp, "the connection failed"),
        (Answer::Silence, "no answer in time"),
    ]
}

#[tokio::test]
async fn tells_refused_from_busy_from_unknown() {
    let check = async |answer: Answer, expected: StripeCallError| {
        let stripe = FakeStripe::start(vec![answer]).await;
        assert_eq!(post(&stripe.client()).await, Err(expected));
        // There is no second attempt: the caller decides whether to try again.
        assert_eq!(stripe.requests().len(), 1);
    };
    for (answer, code, message) in refusals() {
        check(answer, StripeCallError::Refused { code: code.into(), message: message.into() }).await;
    }
    for (answer, code) in busy() {
        check(answer, StripeCallError::Busy { code: code.into() }).await;
    }
    for (answer, reason) in unknown() {
        check(answer, StripeCallError::Unknown { reason }).await;
    }
}

#[tokio::test]
async fn an_unreachable_server_is_an_unknown_outcome() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = StripeClient::try_new("sk_test_A1", Some(&format!("http://{free}"))).unwrap();
    assert_eq!(post(&client).await, Err(StripeCallError::Unknown { reason: "the connection failed" }));
}

#[tokio::test]
async fn sends_nothing_that_cannot_be_right() {
    let client = StripeClient::try_new("sk_test_A1", Some("http://127.0.0.1:9")).unwrap();
    let check = async |customer: &str, key: &str, expected: &str| {
        let customer = CustomerId::parse(customer).unwrap();
        let credit = Money::new(-1000, Currency::USD);
        let error = client.post_balance_transaction(&customer, credit, key, &[], "").await.unwrap_err();
        assert!(matches!(&error, StripeCallError::Refused { code, .. } if code == expected), "{error}");
    };
    check("cus_A1/../cus_B1", "refcredit:A1", "invalid_customer").await;
    check("cus_A1?expand", "refcredit:A1", "invalid_customer").await;
    check("cus_A1", "", "invalid_idempotency_key").await;
    check("cus_A1", "ref\r\ncredit", "invalid_idempotency_key").await;
    check("cus_A1", &"k".repeat(256), "invalid_idempotency_key").await;
}

#[tokio::test]
async fn looks_a_posting_up_page_by_page() {
    let stripe = FakeStripe::start(vec![
        page(&[transaction("cbtxn_A3", "refcredit:A3"), transaction("cbtxn_A2", "refcredit:A2")], true),
        page(&[transaction("cbtxn_A1", "refcredit:A1")], false),
    ])
    .await;
    let since = Timestamp::from_seconds(1_795_253_400);
    assert_eq!(find(&stripe.client(), Some(since)).await, Ok(Some("cbtxn_A1".to_owned())));

    let asked = stripe.requests().into_iter().map(|request| {
        let line = request.line.strip_suffix(" HTTP/1.1").unwrap();
        let (path, query) = line.split_once('?').unwrap();
        assert_eq!(path, "GET /sim/stripe/v1/customers/cus_A1/balance_transactions");
        decoded(query)
    });
    let first = ["created[gte]=1795249800", "limit=100"];
    let second = ["created[gte]=1795249800", "limit=100", "starting_after=cbtxn_A2"];
    assert_eq!(asked.collect::<Vec<_>>(), [&first[..], &second[..]]);
}

#[tokio::test]
async fn a_posting_is_absent_only_when_the_list_ends() {
    let other = [transaction("cbtxn_A9", "refcredit:A9")];
    let stripe = FakeStripe::start(vec![page(&other, false)]).await;
    assert_eq!(find(&stripe.client(), None).await, Ok(None));
    let stripe = FakeStripe::start(vec![page(&[], false)]).await;
    assert_eq!(find(&stripe.client(), None).await, Ok(None));

    let stripe = FakeStripe::start(vec![page(&other, true); 6]).await;
    let reason = "the customer has too many transactions to look through";
    assert_eq!(find(&stripe.client(), None).await, Err(StripeCallError::Unknown { reason }));
    assert_eq!(stripe.requests().len(), 5);

    let stripe = FakeStripe::start(vec![error(500, "api_error", "", "Oops")]).await;
    assert_eq!(find(&stripe.client(), None).await, Err(StripeCallError::Unknown { reason: "Stripe failed" }));
}

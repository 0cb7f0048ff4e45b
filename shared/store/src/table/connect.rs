//! Reaching the real table.

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, timeout::TimeoutConfig},
};
use std::time::Duration;

use crate::table::Store;

/// Where the table is and how to reach it.
pub struct Connection {
    /// AWS region.
    pub region: String,
    /// Another endpoint than AWS's, for tests.
    pub endpoint: Option<String>,
    /// Who we are.
    pub credentials: Credentials,
    /// The HTTP client, shared by all AWS clients of the process.
    pub http_client: Option<SharedHttpClient>,
    /// The table's name.
    pub table: String,
}

impl Store {
    /// A store on the table that `connection` describes. Opens nothing yet.
    ///
    /// One attempt gets 2 s and a call with its retries 8 s: a stuck connection must not eat the function's
    /// whole time.
    pub fn connect(connection: Connection) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(8))
            .build();
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(connection.region))
            .credentials_provider(connection.credentials)
            .timeout_config(timeouts);
        config.set_endpoint_url(connection.endpoint);
        config.set_http_client(connection.http_client);
        Self::new(Client::from_conf(config.build()), connection.table)
    }
}

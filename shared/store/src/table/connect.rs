//! Connections to a real table.

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, SharedHttpClient, timeout::TimeoutConfig},
};
use std::time::Duration;

use crate::table::Store;

/// The address of the table and the means to reach it.
pub struct Connection {
    /// AWS region.
    pub region: String,
    /// Another endpoint than AWS's, for tests.
    pub endpoint: Option<String>,
    /// The AWS credentials.
    pub credentials: Credentials,
    /// The HTTP client, shared by all AWS clients of the process.
    pub http_client: Option<SharedHttpClient>,
    /// The table's name.
    pub table: String,
}

impl Store {
    /// Makes a store on the table that `connection` describes. Opens no connection yet.
    ///
    /// One attempt gets 2 s and a call with its retries 8 s, so that a stuck connection does not use up the
    /// function's whole time.
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

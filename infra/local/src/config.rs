//! The stack's settings: environment variables and `.env`, and what is made up when they are silent.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use guerdon_api::gate::{Limits, origins};
use guerdon_app::{jobs::JOBS, operators::Password};
use guerdon_domain::{ids::TelegramId, members::PseudonymKey, settings::Preset};
use guerdon_runtime::{
    env::{self, ConfigError, optional},
    secrets::{Secret, Secrets},
};
use guerdon_telegram::username::BotUsername;
use stripe_webhook::origin::Origin;

use crate::{
    files::{SECRETS, write_private_file},
    server::Serving,
};

/// The place of the stack's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In memory: gone with the process.
    Memory,
    /// In files of this folder.
    Folder(PathBuf),
}

impl Data {
    /// Reads `GUERDON_DATA`: `:memory:` or a folder, by default `.guerdon`.
    pub fn from_env() -> Self {
        // A broken file is reported when the configuration is read.
        read_dotenv().ok();
        match optional("GUERDON_DATA").as_deref() {
            Some(":memory:") => Self::Memory,
            folder => Self::Folder(PathBuf::from(folder.unwrap_or(".guerdon"))),
        }
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) => Some(folder),
        }
    }
}

/// Puts the lines of `.env` into the environment, where it has no such variable.
fn read_dotenv() -> Result<(), ConfigError> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(error) => Err(ConfigError::Invalid { name: ".env", problem: error.to_string() }),
    }
}

/// Backups that the stack makes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The folder that they are put into.
    pub folder: PathBuf,
    /// The time between two of them.
    pub every: Duration,
    /// The number of backups that are kept, the newest ones.
    pub keep: usize,
}

/// Everything that differs between two stacks.
#[derive(Clone)]
pub struct Config {
    /// The address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The place of its data.
    pub data: Data,
    /// The rules in force.
    pub preset: Arc<Preset>,
    /// The bot's name, until a real token says otherwise.
    pub bot_username: BotUsername,
    /// The events of Stripe that are booked here.
    pub stripe_origin: Origin,
    /// Stripe Payment Link, `{plan}` standing for the plan. None: the simulator's checkout.
    pub payment_link: Option<String>,
    /// The URL for browsers, if it differs from the address to listen on.
    pub public_url: Option<String>,
    /// Secrets that were configured or made up.
    pub secrets: BTreeMap<&'static str, String>,
    /// Calls that a caller of the API may make in a minute.
    pub limits: Limits,
    /// Origins of pages that may call the API from a browser.
    pub origins: Vec<http::HeaderValue>,
    /// Names under which the stack is reached, besides addresses, `localhost` and the public URL's.
    pub hosts: Vec<String>,
    /// Proxies before the stack, whose word about the caller's address is taken.
    pub proxies: Vec<IpAddr>,
    /// Limits of connections.
    pub serving: Serving,
    /// The token that `/local` and `/sim/api` require for a change.
    pub local_token: String,
    /// The Telegram id of the first super admin, created at their first sign-in.
    pub super_admin: Option<TelegramId>,
    /// Secrets that were made up and not shown yet.
    pub made_up: Vec<&'static str>,
    /// Backups that the stack makes by itself.
    pub backups: Option<Plan>,
    /// The port of the metrics, on loopback.
    pub metrics_port: Option<u16>,
    /// Keeps the stream's records when all of its readers have them behind: for tests that look at them.
    pub keeps_stream: bool,
    /// Jobs that no hour runs.
    pub jobs_off: Vec<&'static str>,
}

const MADE_UP: [Secret; 4] =
    [Secret::PseudonymKey, Secret::TelegramWebhookSecret, Secret::StripeWebhookSecret, Secret::TokenKey];
const GIVEN: [Secret; 4] =
    [Secret::TelegramBotToken, Secret::StripeApiKey, Secret::AdminToken, Secret::SuperAdminPassword];

impl Config {
    /// A stack in memory on any free port, with secrets of its own: for tests.
    ///
    /// # Errors
    /// [`ConfigError`] never, for a built-in preset.
    pub fn in_memory(preset: Arc<Preset>) -> Result<Self, ConfigError> {
        let secrets = [
            (Secret::PseudonymKey, "test-pseudonym-key-0123456789"),
            (Secret::TelegramWebhookSecret, "test-webhook-secret"),
            (Secret::StripeWebhookSecret, "whsec_test_secret"),
            (Secret::AdminToken, "test-admin-token"),
            (Secret::TokenKey, "test-token-key-0123456789-0123456789"),
        ];
        Ok(Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            data: Data::Memory,
            preset,
            bot_username: username("guerdon_test_bot")?,
            stripe_origin: Origin::default(),
            payment_link: None,
            public_url: None,
            secrets: secrets.map(|(secret, value)| (secret.variable(), value.to_owned())).into(),
            limits: Limits { operator: 100_000, service: 100_000, member: 100_000 },
            origins: Vec::new(),
            hosts: Vec::new(),
            proxies: Vec::new(),
            serving: Serving::default(),
            local_token: "test-local-token-0123456789".to_owned(),
            super_admin: None,
            made_up: Vec::new(),
            backups: None,
            metrics_port: None,
            keeps_stream: false,
            jobs_off: Vec::new(),
        })
    }

    /// Reads `.env` and the environment. Secrets that are not set are made up once and kept in the data
    /// folder; the admin token is never made up.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        read_dotenv()?;
        let data = Data::from_env();
        let mut config = Self {
            listen: SocketAddr::new(host()?, port()?),
            preset: env::preset()?,
            bot_username: username(
                &optional("GUERDON_BOT_USERNAME").unwrap_or_else(|| "guerdon_bot".to_owned()),
            )?,
            stripe_origin: stripe_origin()?,
            payment_link: optional("GUERDON_PAYMENT_LINK_URL"),
            public_url: optional("GUERDON_PUBLIC_URL"),
            secrets: BTreeMap::new(),
            limits: Limits::from_env()?,
            origins: origins()?,
            hosts: hosts()?,
            proxies: proxies()?,
            serving: serving()?,
            local_token: local_token(&data)?,
            super_admin: env::super_admin()?,
            made_up: Vec::new(),
            backups: backups()?,
            metrics_port: metrics_port()?,
            keeps_stream: false,
            jobs_off: jobs_off()?,
            data,
        };
        config.find_secrets()?;
        Ok(config)
    }

    fn find_secrets(&mut self) -> Result<(), ConfigError> {
        for secret in GIVEN.into_iter().chain(MADE_UP) {
            if let Some(value) = optional(secret.variable()) {
                self.secrets.insert(secret.variable(), value);
            }
        }
        let mut kept = match &self.data {
            Data::Memory => BTreeMap::new(),
            Data::Folder(folder) => read_kept(&kept_path(folder))?,
        };
        // Those of a start that failed before it could show them are shown by the next one.
        let mut unshown = kept.remove(UNSHOWN).unwrap_or_default();
        let before = kept.len();
        for secret in MADE_UP {
            let name = secret.variable();
            if self.secrets.contains_key(name) {
                continue;
            }
            if !kept.contains_key(name) {
                kept.insert(name.to_owned(), random_secret(secret)?);
                unshown = format!("{unshown} {name}");
            }
            if unshown.split(' ').any(|unshown| unshown == name) {
                self.made_up.push(name);
            }
            self.secrets.insert(name, kept[name].clone());
        }
        if let Data::Folder(folder) = &self.data
            && kept.len() > before
        {
            kept.insert(UNSHOWN.to_owned(), unshown.trim().to_owned());
            write_kept(&kept_path(folder), &kept)?;
        }
        self.check()
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |secret: Secret, problem: &str| {
            Err(ConfigError::Invalid { name: secret.variable(), problem: problem.to_owned() })
        };
        if self.pseudonym_key().is_err() {
            return invalid(Secret::PseudonymKey, "must have at least 16 bytes");
        }
        if self.secret(Secret::AdminToken).is_some_and(|token| token.len() < 12) {
            return invalid(Secret::AdminToken, "must have at least 12 characters");
        }
        let public = self.public_url.as_deref().map(str::parse::<http::Uri>);
        if public.is_some_and(|url| url.ok().and_then(|url| url.host().map(str::to_owned)).is_none()) {
            let problem = "must be an address as https://pay.example.com".to_owned();
            return Err(ConfigError::Invalid { name: "GUERDON_PUBLIC_URL", problem });
        }
        if let (Some(id), Some(password)) = (self.super_admin, self.secret(Secret::SuperAdminPassword))
            && let Err(weak) = Password::try_new(password, id.get())
        {
            return invalid(Secret::SuperAdminPassword, &format!("is refused: {weak}"));
        }
        Ok(())
    }

    /// Remembers that the made-up secrets were shown.
    ///
    /// # Errors
    /// [`ConfigError`] when the folder's file cannot be written.
    pub fn secrets_were_shown(&self) -> Result<(), ConfigError> {
        let Data::Folder(folder) = &self.data else { return Ok(()) };
        let mut kept = read_kept(&kept_path(folder))?;
        match kept.remove(UNSHOWN) {
            Some(_) => write_kept(&kept_path(folder), &kept),
            None => Ok(()),
        }
    }

    /// A secret's value, if there is one.
    pub fn secret(&self, secret: Secret) -> Option<&str> {
        self.secrets.get(secret.variable()).map(String::as_str)
    }

    /// The pseudonym key.
    ///
    /// # Errors
    /// [`ConfigError`] when it is too short or missing.
    pub fn pseudonym_key(&self) -> Result<PseudonymKey, ConfigError> {
        let value = self.secret(Secret::PseudonymKey).unwrap_or_default();
        PseudonymKey::try_new(value).map_err(|error| ConfigError::Invalid {
            name: Secret::PseudonymKey.variable(),
            problem: error.to_string(),
        })
    }

    /// The secrets as the functions read them.
    pub fn secrets(&self) -> Secrets {
        let all = GIVEN.into_iter().chain(MADE_UP);
        Secrets::given(all.filter_map(|secret| Some((secret, self.secret(secret)?.to_owned()))))
    }
}

fn username(text: &str) -> Result<BotUsername, ConfigError> {
    BotUsername::parse(text)
        .map_err(|error| ConfigError::Invalid { name: "GUERDON_BOT_USERNAME", problem: error.to_string() })
}

/// The events of Stripe that are booked: real money's with a key for real money, a sandbox's otherwise.
fn stripe_origin() -> Result<Origin, ConfigError> {
    let key = optional(Secret::StripeApiKey.variable()).unwrap_or_default();
    Origin::from_env(key.contains("_live_"))
}

fn host() -> Result<IpAddr, ConfigError> {
    const NAME: &str = "GUERDON_HOST";
    let Some(text) = optional(NAME) else { return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)) };
    text.parse().map_err(|_| ConfigError::Invalid { name: NAME, problem: "must be an IP address".to_owned() })
}

fn port() -> Result<u16, ConfigError> {
    env::number("GUERDON_PORT", 8080, 0..=65_535).map(|port| u16::try_from(port).unwrap_or(8080))
}

/// Reads `GUERDON_HOSTS`: names of this machine, comma separated; none by default.
///
/// # Errors
/// [`ConfigError::Invalid`] for a scheme, a port, or anything else that is no name.
fn hosts() -> Result<Vec<String>, ConfigError> {
    const NAME: &str = "GUERDON_HOSTS";
    let text = optional(NAME).unwrap_or_default();
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let name = |name: &str| {
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let problem =
            || format!("has {name:?}, which is no host name as box.example.com, without scheme and port");
        if is_name {
            Ok(name.to_owned())
        } else {
            Err(ConfigError::Invalid { name: NAME, problem: problem() })
        }
    };
    names.map(name).collect()
}

/// Reads `GUERDON_TRUSTED_PROXIES`: addresses of proxies before this stack, comma separated; none by default.
fn proxies() -> Result<Vec<IpAddr>, ConfigError> {
    const NAME: &str = "GUERDON_TRUSTED_PROXIES";
    let text = optional(NAME).unwrap_or_default();
    let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
    let address = |text: &str| {
        let problem = || format!("has {text:?}, which is no IP address");
        text.parse::<IpAddr>().map_err(|_| ConfigError::Invalid { name: NAME, problem: problem() })
    };
    addresses.map(address).collect()
}

/// Reads `GUERDON_CONNECTIONS`, by default what a quarter of the file handles allows, and `GUERDON_REQUEST_SECONDS`.
fn serving() -> Result<Serving, ConfigError> {
    let usual = Serving::default();
    // A webhook's work opens files and connections too, and a call to the stand-ins has both of its ends here.
    let connections = file_handles().map_or(usual.connections, |handles| (handles / 4).clamp(16, 4096));
    let connections = env::number("GUERDON_CONNECTIONS", connections as u64, 16..=100_000)?;
    let seconds = env::number("GUERDON_REQUEST_SECONDS", usual.head.as_secs(), 1..=600)?;
    let time = Duration::from_secs(seconds);
    Ok(Serving {
        connections: usize::try_from(connections).unwrap_or(usual.connections),
        head: time,
        body: time,
    })
}

/// Reads how many file handles this process may have, where the system tells it in a file.
fn file_handles() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The name of the file that holds the local token.
pub const LOCAL_TOKEN_FILE: &str = "local-token";

/// Reads `GUERDON_LOCAL_TOKEN`, or else the token of the data folder, which is made up once.
fn local_token(data: &Data) -> Result<String, ConfigError> {
    if let Some(token) = optional("GUERDON_LOCAL_TOKEN") {
        return Ok(token);
    }
    let Data::Folder(folder) = data else { return random_hex("GUERDON_LOCAL_TOKEN") };
    let path = folder.join(LOCAL_TOKEN_FILE);
    match fs::read_to_string(&path) {
        Ok(kept) if !kept.trim().is_empty() => Ok(kept.trim().to_owned()),
        Ok(_) => new_local_token(&path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => new_local_token(&path),
        Err(error) => Err(unusable(&path, &error)),
    }
}

fn new_local_token(path: &Path) -> Result<String, ConfigError> {
    let token = random_hex("GUERDON_LOCAL_TOKEN")?;
    write_private(path, format!("{token}\n").as_bytes())?;
    Ok(token)
}

/// The names in that file, divided by spaces, of secrets that were not shown yet.
const UNSHOWN: &str = "NOT_SHOWN_YET";

fn kept_path(folder: &Path) -> PathBuf {
    folder.join(SECRETS)
}

/// Reads `GUERDON_METRICS_PORT`, none by default.
fn metrics_port() -> Result<Option<u16>, ConfigError> {
    let port = env::number("GUERDON_METRICS_PORT", 0, 0..=65_535)?;
    Ok(u16::try_from(port).ok().filter(|port| *port != 0))
}

/// Reads `GUERDON_JOBS_OFF`: jobs that are not scheduled, comma separated; none by default.
fn jobs_off() -> Result<Vec<&'static str>, ConfigError> {
    const NAME: &str = "GUERDON_JOBS_OFF";
    let text = optional(NAME).unwrap_or_default();
    let named = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let known = |name: &str| {
        let problem = || format!("has {name:?}; there is: {}", JOBS.join(", "));
        let job = JOBS.into_iter().find(|job| *job == name);
        job.ok_or_else(|| ConfigError::Invalid { name: NAME, problem: problem() })
    };
    named.map(known).collect()
}

/// Reads `GUERDON_BACKUP_FOLDER`, none by default; `GUERDON_BACKUP_HOURS`, by default 24; and `GUERDON_BACKUP_KEEP`, by
/// default 7.
fn backups() -> Result<Option<Plan>, ConfigError> {
    let hours = env::number("GUERDON_BACKUP_HOURS", 24, 1..=24 * 31)?;
    let keep = env::number("GUERDON_BACKUP_KEEP", 7, 1..=1000)?;
    let plan = |folder: String| Plan {
        folder: folder.into(),
        every: Duration::from_hours(hours),
        keep: usize::try_from(keep).unwrap_or(usize::MAX),
    };
    Ok(optional("GUERDON_BACKUP_FOLDER").map(plan))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Invalid { name: "GUERDON_DATA", problem: format!("{} is unusable: {error}", path.display()) }
}

fn read_kept(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| unusable(path, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn write_kept(path: &Path, kept: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    write_private(path, &serde_json::to_vec_pretty(kept).map_err(|error| unusable(path, &error))?)
}

/// Writes a file that only its owner reads, in a folder that only its owner opens. It is written beside and moved into
/// place: a crash leaves the old file or the new one, and the pseudonym key in it is what makes the table readable.
fn write_private(path: &Path, content: &[u8]) -> Result<(), ConfigError> {
    write_private_file(path, content).map_err(|error| unusable(path, &error))
}

fn random_secret(secret: Secret) -> Result<String, ConfigError> {
    let prefix = if secret == Secret::StripeWebhookSecret { "whsec_" } else { "" };
    Ok(format!("{prefix}{}", random_hex(secret.variable())?))
}

#[expect(clippy::disallowed_methods, reason = "secrets are made here, once")]
fn random_hex(name: &'static str) -> Result<String, ConfigError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| ConfigError::Invalid { name, problem: format!("cannot be made up: {error}") })?;
    Ok(hex::encode(bytes))
}

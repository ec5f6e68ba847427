//! Opening a bucket: its address, and what the environment says about credentials, endpoints and regions, by the names
//! of object_store, which are those of the clouds' own tools.

use std::{str::FromStr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    client::HttpConnector,
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
};

use super::{
    super::place::PlaceError,
    address::{Address, Cloud},
};

/// The bucket at this address. Nothing is sent yet.
pub(super) fn open(
    address: &Address,
    variables: impl IntoIterator<Item = (String, String)>,
    connector: impl HttpConnector,
) -> Result<Arc<dyn ObjectStore>, PlaceError> {
    let url = address.url.as_str();
    let variables: Vec<(String, String)> = variables.into_iter().collect();
    let opened: Result<Arc<dyn ObjectStore>, object_store::Error> = match address.cloud {
        Cloud::S3 => {
            // Of two writers exactly one is first, whatever AWS_CONDITIONAL_PUT says.
            let builder = AmazonS3Builder::new()
                .with_url(url)
                .with_retry(retries())
                .with_http_connector(connector)
                .with_conditional_put(S3ConditionalPut::ETagMatch);
            let settings = settings("AWS_", &variables, AmazonS3ConfigKey::Client);
            let settings = settings.filter(|(key, _)| !matches!(key, AmazonS3ConfigKey::ConditionalPut));
            let builder = settings.fold(builder, |builder, (key, value)| builder.with_config(key, value));
            builder.build().map(|store| Arc::new(store) as _)
        }
        Cloud::Azure => {
            let builder = MicrosoftAzureBuilder::new()
                .with_url(url)
                .with_retry(retries())
                .with_http_connector(connector);
            let settings = settings("AZURE_", &variables, AzureConfigKey::Client);
            let builder = settings.fold(builder, |builder, (key, value)| builder.with_config(key, value));
            // Azure App Service names its managed identity's address without a prefix.
            let builder = match variable(&variables, "IDENTITY_ENDPOINT") {
                Some(endpoint) => builder.with_msi_endpoint(endpoint),
                None => builder,
            };
            builder.build().map(|store| Arc::new(store) as _)
        }
        Cloud::Google => {
            let builder = GoogleCloudStorageBuilder::new()
                .with_url(url)
                .with_retry(retries())
                .with_http_connector(connector);
            let builder = match variable(&variables, "SERVICE_ACCOUNT") {
                Some(path) => builder.with_service_account_path(path),
                None => builder,
            };
            let settings = settings("GOOGLE_", &variables, GoogleConfigKey::Client);
            let builder = settings.fold(builder, |builder, (key, value)| builder.with_config(key, value));
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    opened.map_err(|error| PlaceError::Settings(address.describe(), Box::new(error)))
}

/// Our limits, then what the variables say, which may be other limits.
fn settings<'a, K: FromStr + 'a>(
    prefix: &'a str,
    variables: &'a [(String, String)],
    client: fn(ClientConfigKey) -> K,
) -> impl Iterator<Item = (K, String)> + 'a {
    let limits = LIMITS.map(|(key, value)| (client(key), value.to_owned()));
    let said = variables.iter().filter(move |(name, _)| name.starts_with(prefix));
    limits.into_iter().chain(
        said.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.clone()))),
    )
}

fn variable(variables: &[(String, String)], name: &str) -> Option<String> {
    variables.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone())
}

/// A store that is down is noticed within a third of the lock's lease, so that a holder tries again before it is over.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(15),
    }
}

const LIMITS: [(ClientConfigKey, &str); 2] =
    [(ClientConfigKey::ConnectTimeout, "4s"), (ClientConfigKey::Timeout, "10s")];

#[cfg(test)]
mod tests {
    use object_store::client::ReqwestConnector;

    use super::*;
    use crate::journal::store::place::StorePlace;

    /// Nothing here goes to the network: a key of a service account is a key that was made for this test.
    fn opened(place: &str, variables: &[(&str, &str)]) -> Result<String, PlaceError> {
        let Ok(StorePlace::Bucket(address)) = StorePlace::parse(place) else { panic!("{place}") };
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        open(&address, variables, ReqwestConnector::default()).map(|store| store.to_string())
    }

    #[test]
    fn buckets_are_opened_with_what_the_environment_says() {
        let azure = ("AZURE_STORAGE_ACCOUNT_NAME", "contoso");
        let azure_key = ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0");
        let google = ("GOOGLE_SERVICE_ACCOUNT_KEY", SERVICE_ACCOUNT);
        for (place, variables, store) in [
            (
                "s3://runs/contoso",
                vec![("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")],
                "AmazonS3(runs)",
            ),
            (
                "s3://runs",
                vec![("AWS_ENDPOINT", "http://127.0.0.1:9"), ("AWS_ALLOW_HTTP", "true")],
                "AmazonS3(runs)",
            ),
            ("s3://runs", vec![("AWS_CONDITIONAL_PUT", "disabled"), ("AWS_TIMEOUT", "3s")], "AmazonS3(runs)"),
            (
                "az://runs/contoso",
                vec![azure, azure_key],
                "MicrosoftAzure { account: contoso, container: runs }",
            ),
            (
                "abfss://runs@contoso.dfs.core.windows.net/a",
                vec![azure_key],
                "MicrosoftAzure { account: contoso, container: runs }",
            ),
            ("gs://runs/contoso", vec![google], "GoogleCloudStorage(runs)"),
            ("gs://runs/contoso", vec![("GOOGLE_SKIP_SIGNATURE", "true")], "GoogleCloudStorage(runs)"),
        ] {
            assert_eq!(opened(place, &variables).unwrap(), store, "{place}");
        }
    }

    #[test]
    fn what_is_missing_in_the_environment_is_said() {
        for (place, variables) in [
            ("az://runs/contoso", vec![]),
            ("s3://runs", vec![("AWS_ACCESS_KEY_ID", "A")]),
            ("gs://runs", vec![("SERVICE_ACCOUNT", "/nowhere/key.json")]),
        ] {
            let error = opened(place, &variables).unwrap_err();
            assert!(matches!(error, PlaceError::Settings(..)), "{error:?}");
            assert!(error.to_string().starts_with(place), "{error}");
        }
    }

    const SERVICE_ACCOUNT: &str = r#"{"gcs_base_url": "https://localhost", "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}"#;
}

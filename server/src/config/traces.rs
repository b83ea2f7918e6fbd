//! Where traces go, and of which requests. The names are those of OpenTelemetry's specification of environment variables; what is not
//! listed here (headers, compression, batches, resource attributes) its SDK reads from the environment by itself. Without an endpoint
//! nothing else is looked at.

use clap::Args;
use std::time::Duration;
use url::Url;

#[derive(Debug, Clone, Default, Args)]
pub struct TracesConfig {
    /// An OpenTelemetry collector that takes OTLP over HTTP, like http://127.0.0.1:4318, for traces [default: none]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otel_exporter_otlp_endpoint: Option<String>,

    /// The whole URL for traces, like http://127.0.0.1:4318/v1/traces; it wins over the endpoint for all
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub otel_exporter_otlp_traces_endpoint: Option<String>,

    /// What the collector is spoken to in: only http/protobuf [default: http/protobuf]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", value_name = "NAME")]
    pub otel_exporter_otlp_protocol: Option<String>,

    /// The same for traces alone; it wins
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value_name = "NAME")]
    pub otel_exporter_otlp_traces_protocol: Option<String>,

    /// How long the collector may take to take a batch [default: 10000]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TIMEOUT", value_name = "MS")]
    pub otel_exporter_otlp_timeout: Option<String>,

    /// Whose traces are gone on with: tracecontext takes up a caller's traceparent, none does not [default: tracecontext]
    #[arg(long, env = "OTEL_PROPAGATORS", value_name = "NAMES")]
    pub otel_propagators: Option<String>,

    /// otlp, or none: no traces, whatever the endpoint [default: otlp]
    #[arg(long, env = "OTEL_TRACES_EXPORTER", value_name = "NAME")]
    pub otel_traces_exporter: Option<String>,

    /// true: no traces, whatever the endpoint [default: false]
    #[arg(long, env = "OTEL_SDK_DISABLED", value_name = "BOOL")]
    pub otel_sdk_disabled: Option<String>,

    /// Which requests are traced: always_on, always_off, traceidratio, or parentbased_ before one of them: as the caller says, where
    /// its traceparent does [default: parentbased_always_on]
    #[arg(long, env = "OTEL_TRACES_SAMPLER", value_name = "NAME")]
    pub otel_traces_sampler: Option<String>,

    /// The share of requests that traceidratio traces, 0 to 1 [default: 1]
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", value_name = "SHARE")]
    pub otel_traces_sampler_arg: Option<String>,

    /// What this service is called in traces [default: n_users]
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME")]
    pub otel_service_name: Option<String>,
}

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Of those whose caller does not decide, 0 to 1.
    pub share: f64,
    /// Whether a caller whose trace is gone on with decides.
    pub follows_caller: bool,
}

impl TracesConfig {
    /// The URL that spans are posted to; `None` when there are no traces.
    pub fn url(&self) -> Result<Option<Url>, String> {
        let whole = set(&self.otel_exporter_otlp_traces_endpoint);
        let Some(text) = whole.or(set(&self.otel_exporter_otlp_endpoint)) else { return Ok(None) };
        if self.is_disabled()? || !self.is_exported()? {
            return Ok(None);
        }
        let variable = if whole.is_some() { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" } else { "OTEL_EXPORTER_OTLP_ENDPOINT" };
        // The error does not repeat the URL, which may carry what is secret.
        let mut url = Url::parse(text)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.fragment().is_none())
            .ok_or_else(|| format!("{variable} must be an http or https URL, like http://127.0.0.1:4318"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{variable} must not carry a name or a password: put them into OTEL_EXPORTER_OTLP_HEADERS"));
        }
        if whole.is_none() {
            let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        self.check_protocol()?;
        Ok(Some(url))
    }

    /// OTEL_SERVICE_NAME, if it is set.
    pub fn service_name(&self) -> Option<&str> {
        set(&self.otel_service_name)
    }

    pub fn timeout(&self) -> Result<Duration, String> {
        let text = set(&self.otel_exporter_otlp_timeout).unwrap_or("10000");
        let timeout_ms = text.parse().ok().filter(|timeout_ms| *timeout_ms > 0);
        let wrong = || format!("OTEL_EXPORTER_OTLP_TIMEOUT must be milliseconds, like 10000, not {text:?}");
        timeout_ms.map(Duration::from_millis).ok_or_else(wrong)
    }

    /// Whether a caller's traceparent is taken up. Formats of other names (`baggage`, `b3`) are not read.
    pub fn takes_up_traceparent(&self) -> bool {
        let names = set(&self.otel_propagators).unwrap_or("tracecontext");
        names.split(',').any(|name| name.trim().eq_ignore_ascii_case("tracecontext"))
    }

    pub fn sampling(&self) -> Result<Sampling, String> {
        let name = set(&self.otel_traces_sampler).unwrap_or("parentbased_always_on").to_ascii_lowercase();
        let (root, follows_caller) = name.strip_prefix("parentbased_").map_or((&*name, false), |root| (root, true));
        let share = match root {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => set(&self.otel_traces_sampler_arg).map_or(Ok(1.0), share)?,
            _ => {
                return Err(format!(
                    "OTEL_TRACES_SAMPLER must be always_on, always_off, traceidratio, or parentbased_ before one of them, not {name:?}"
                ));
            }
        };
        Ok(Sampling { share, follows_caller })
    }

    fn is_disabled(&self) -> Result<bool, String> {
        match set(&self.otel_sdk_disabled).unwrap_or("false").to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("OTEL_SDK_DISABLED must be true or false, not {other:?}")),
        }
    }

    fn is_exported(&self) -> Result<bool, String> {
        match set(&self.otel_traces_exporter).unwrap_or("otlp").to_ascii_lowercase().as_str() {
            "otlp" => Ok(true),
            "none" => Ok(false),
            other => Err(format!("OTEL_TRACES_EXPORTER must be otlp or none, not {other:?}")),
        }
    }

    fn check_protocol(&self) -> Result<(), String> {
        let for_traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", set(&self.otel_exporter_otlp_traces_protocol));
        let for_all = ("OTEL_EXPORTER_OTLP_PROTOCOL", set(&self.otel_exporter_otlp_protocol));
        match [for_traces, for_all].into_iter().find_map(|(variable, name)| Some((variable, name?))) {
            Some((variable, name)) if !name.eq_ignore_ascii_case("http/protobuf") => Err(format!(
                "{variable} must be http/protobuf, not {name:?}: collectors take it, too, on a port of its own (4318, where grpc has 4317)"
            )),
            _ => Ok(()),
        }
    }
}

/// Empty is as if it were not set.
fn set(setting: &Option<String>) -> Option<&str> {
    setting.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("OTEL_TRACES_SAMPLER_ARG must be a share from 0 to 1, like 0.01, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(endpoint: &str) -> TracesConfig {
        TracesConfig { otel_exporter_otlp_endpoint: Some(endpoint.to_owned()), ..TracesConfig::default() }
    }

    fn url(config: &TracesConfig) -> Option<String> {
        config.url().unwrap().map(String::from)
    }

    #[test]
    fn the_endpoint_for_all_signals_gets_the_path_of_traces() {
        assert_eq!(url(&TracesConfig::default()), None);
        assert_eq!(url(&config("")), None);
        assert_eq!(url(&config("http://c:4318")).unwrap(), "http://c:4318/v1/traces");
        assert_eq!(url(&config("https://c/otlp/")).unwrap(), "https://c/otlp/v1/traces");
        let whole = TracesConfig { otel_exporter_otlp_traces_endpoint: Some("http://t:1/in".into()), ..config("http://c:4318") };
        assert_eq!(url(&whole).unwrap(), "http://t:1/in");
    }

    #[test]
    fn traces_can_be_switched_off() {
        let disabled = TracesConfig { otel_sdk_disabled: Some("TRUE".into()), ..config("http://c") };
        assert_eq!(url(&disabled), None);
        assert_eq!(url(&TracesConfig { otel_traces_exporter: Some("None".into()), ..config("http://c") }), None);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let said = |config: TracesConfig| config.url().unwrap_err();
        for endpoint in ["c:4317", "ftp://c", "4318", "http://c/#x"] {
            assert!(said(config(endpoint)).contains("like http://127.0.0.1:4318"), "{endpoint}");
        }
        assert!(!said(config("ftp://me:secret@c")).contains("secret"));
        assert!(said(config("http://me:secret@c")).contains("put them into OTEL_EXPORTER_OTLP_HEADERS"));
        let grpc = TracesConfig { otel_exporter_otlp_protocol: Some("grpc".into()), ..config("http://c") };
        assert!(said(grpc).starts_with("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not \"grpc\""));
        let grpc = TracesConfig { otel_exporter_otlp_traces_protocol: Some("grpc".into()), ..config("http://c") };
        assert!(said(grpc).starts_with("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be"));
        assert!(said(TracesConfig { otel_traces_exporter: Some("zipkin".into()), ..config("http://c") }).contains("otlp or none"));
        assert!(said(TracesConfig { otel_sdk_disabled: Some("1".into()), ..config("http://c") }).contains("true or false"));
    }

    #[test]
    fn without_an_endpoint_nothing_else_is_looked_at() {
        let elsewhere = TracesConfig {
            otel_exporter_otlp_protocol: Some("grpc".into()),
            otel_traces_exporter: Some("zipkin".into()),
            otel_sdk_disabled: Some("1".into()),
            otel_exporter_otlp_timeout: Some("10s".into()),
            ..TracesConfig::default()
        };
        assert_eq!(elsewhere.url(), Ok(None));
    }

    #[test]
    fn the_timeout_is_in_milliseconds() {
        let timeout = |text: &str| TracesConfig { otel_exporter_otlp_timeout: Some(text.to_owned()), ..TracesConfig::default() }.timeout();
        assert_eq!(timeout(""), Ok(Duration::from_secs(10)));
        assert_eq!(timeout("250"), Ok(Duration::from_millis(250)));
        for wrong in ["10s", "-1", "0"] {
            assert!(timeout(wrong).unwrap_err().contains("like 10000"), "{wrong}");
        }
    }

    #[test]
    fn traceparent_is_taken_up_where_it_is_among_the_propagators() {
        for (names, is_taken_up) in [("", true), ("baggage, TraceContext", true), ("none", false), ("b3", false)] {
            let config = TracesConfig { otel_propagators: Some(names.to_owned()), ..TracesConfig::default() };
            assert_eq!(config.takes_up_traceparent(), is_taken_up, "{names}");
        }
    }

    #[test]
    fn samplers_have_their_standard_names() {
        let sampling = |name: &str, argument: Option<&str>| {
            let config = TracesConfig {
                otel_traces_sampler: Some(name.to_owned()),
                otel_traces_sampler_arg: argument.map(str::to_owned),
                ..TracesConfig::default()
            };
            config.sampling().map(|sampling| (sampling.share, sampling.follows_caller))
        };
        assert_eq!(sampling("", None), Ok((1.0, true)));
        assert_eq!(sampling("ALWAYS_OFF", Some("0.5")), Ok((0.0, false)));
        assert_eq!(sampling("parentbased_traceidratio", Some("0.01")), Ok((0.01, true)));
        assert_eq!(sampling("traceidratio", None), Ok((1.0, false)));
        for share in ["2", "-0.1", "NaN", "one"] {
            assert!(sampling("traceidratio", Some(share)).unwrap_err().contains("from 0 to 1"), "{share}");
        }
        assert!(sampling("xray", None).unwrap_err().contains("not \"xray\""));
    }
}

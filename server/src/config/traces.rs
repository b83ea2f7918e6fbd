//! Where traces go, and of which requests. The names are those of OpenTelemetry's specification of environment variables; what is not
//! listed here (headers, timeout, compression, batches, resource attributes) its SDK reads from the environment by itself.

use clap::Args;
use url::Url;

const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG must be a share from 0 to 1, like 0.01";

#[derive(Debug, Clone, Default, Args)]
pub struct TracesConfig {
    /// An OpenTelemetry collector that takes OTLP over HTTP, like http://127.0.0.1:4318, for traces [default: none]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otel_exporter_otlp_endpoint: Option<String>,

    /// The same, but the whole URL, like http://127.0.0.1:4318/v1/traces; it wins
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub otel_exporter_otlp_traces_endpoint: Option<String>,

    /// What the collector is spoken to in: only http/protobuf [default: http/protobuf]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", value_name = "NAME")]
    pub otel_exporter_otlp_protocol: Option<String>,

    /// The same; it wins
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value_name = "NAME")]
    pub otel_exporter_otlp_traces_protocol: Option<String>,

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
    /// Whether a caller that sends a traceparent decides.
    pub follows_caller: bool,
}

impl TracesConfig {
    /// The URL that spans are posted to; `None` when there are no traces.
    pub fn url(&self) -> Result<Option<Url>, String> {
        if is_true("OTEL_SDK_DISABLED", set(&self.otel_sdk_disabled))? || !self.is_exported()? {
            return Ok(None);
        }
        let whole = set(&self.otel_exporter_otlp_traces_endpoint);
        let Some(text) = whole.or(set(&self.otel_exporter_otlp_endpoint)) else { return Ok(None) };
        let variable = if whole.is_some() { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" } else { "OTEL_EXPORTER_OTLP_ENDPOINT" };
        self.check_protocol()?;
        let mut url = Url::parse(text)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.fragment().is_none())
            .ok_or_else(|| format!("{variable} must be an http or https URL, like http://127.0.0.1:4318, not {text:?}"))?;
        // The log tells the URL.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{variable} must not carry a name or a password: put them into OTEL_EXPORTER_OTLP_HEADERS"));
        }
        if whole.is_none() {
            let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(Some(url))
    }

    /// OTEL_SERVICE_NAME, if it is set.
    pub fn service_name(&self) -> Option<&str> {
        set(&self.otel_service_name)
    }

    pub fn sampling(&self) -> Result<Sampling, String> {
        let name = set(&self.otel_traces_sampler).unwrap_or("parentbased_always_on");
        let (root, follows_caller) = name.strip_prefix("parentbased_").map_or((name, false), |root| (root, true));
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

    fn is_exported(&self) -> Result<bool, String> {
        match set(&self.otel_traces_exporter) {
            None | Some("otlp") => Ok(true),
            Some("none") => Ok(false),
            Some(other) => Err(format!("OTEL_TRACES_EXPORTER must be otlp or none, not {other:?}")),
        }
    }

    fn check_protocol(&self) -> Result<(), String> {
        match set(&self.otel_exporter_otlp_traces_protocol).or(set(&self.otel_exporter_otlp_protocol)) {
            None | Some("http/protobuf") => Ok(()),
            Some(other) => Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not {other:?}: collectors take it, too, on a port of its own (4318, where grpc has 4317)"
            )),
        }
    }
}

/// Empty is as if it were not set.
fn set(setting: &Option<String>) -> Option<&str> {
    setting.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn is_true(variable: &str, setting: Option<&str>) -> Result<bool, String> {
    match setting {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(format!("{variable} must be true or false, not {text:?}")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| format!("{RATIO}, not {text:?}"))
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
        assert_eq!(url(&TracesConfig { otel_traces_exporter: Some("none".into()), ..config("http://c") }), None);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let said = |config: TracesConfig| config.url().unwrap_err();
        for endpoint in ["c:4317", "ftp://c", "4318", "http://c/#x"] {
            assert!(said(config(endpoint)).contains("like http://127.0.0.1:4318"), "{endpoint}");
        }
        assert!(said(config("http://me:secret@c")).contains("put them into OTEL_EXPORTER_OTLP_HEADERS"));
        let grpc = TracesConfig { otel_exporter_otlp_protocol: Some("grpc".into()), ..config("http://c") };
        assert!(said(grpc).contains("must be http/protobuf, not \"grpc\""));
        assert!(said(TracesConfig { otel_traces_exporter: Some("zipkin".into()), ..config("http://c") }).contains("otlp or none"));
        assert!(said(TracesConfig { otel_sdk_disabled: Some("1".into()), ..config("http://c") }).contains("true or false"));
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
        assert_eq!(sampling("always_off", Some("0.5")), Ok((0.0, false)));
        assert_eq!(sampling("parentbased_traceidratio", Some("0.01")), Ok((0.01, true)));
        assert_eq!(sampling("traceidratio", None), Ok((1.0, false)));
        for share in ["2", "-0.1", "NaN", "one"] {
            assert!(sampling("traceidratio", Some(share)).unwrap_err().contains("from 0 to 1"), "{share}");
        }
        assert!(sampling("xray", None).unwrap_err().contains("not \"xray\""));
    }
}

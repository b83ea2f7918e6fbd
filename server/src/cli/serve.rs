//! `n_users serve`: the service, and what a newcomer needs next.

use super::{Outcome, ServeOptions, Shared, print_line};
use crate::app;
use std::net::SocketAddr;
use std::path::Path;

pub async fn run(options: ServeOptions, shared: Shared) -> Outcome {
    let ServeOptions { server, traces } = options;
    let _logs = app::start_logs(&server)?;
    let Shared { data, database, images, auth, .. } = shared;
    let data_dir = data.data_dir.clone();
    let audience = auth.oauth_audience.clone();
    let issuer = auth.issuers()?.into_iter().next().map(|issuer| issuer.issuer);
    let announce = move |address: SocketAddr| {
        let token = match issuer {
            Some(_) => "$TOKEN".to_owned(),
            None => format!("$({})", token_command(&data_dir, &audience)),
        };
        let _ = print_line(&welcome(address, issuer.as_deref(), &token));
    };
    app::serve(server, traces, data, database, images, auth, announce).await.map_err(|e| e.to_string())
}

fn token_command(data_dir: &Path, audience: &str) -> String {
    let mut command = format!("{} token --tenant default", quoted(&program()));
    if data_dir != Path::new("./data") {
        command.push_str(&format!(" --data-dir {}", quoted(&data_dir.display().to_string())));
    }
    if audience != "n_users" {
        command.push_str(&format!(" --oauth-audience {}", quoted(audience)));
    }
    command
}

fn welcome(address: SocketAddr, issuer: Option<&str>, token: &str) -> String {
    let issuer = issuer.map(|issuer| format!("\n  Tokens    of {issuer}")).unwrap_or_default();
    format!(
        "n_users is ready.

  Address   http://{address}
  API page  http://{address}/docs{issuer}

Create a first user (one line to copy):

  curl -sS http://{address}/v1/tenants/default/profiles -H \"Authorization: Bearer {token}\" -H 'Content-Type: application/json' -d '{{\"full_name\":\"Ada Lovelace\",\"email_id\":\"ada@example.com\"}}'
"
    )
}

/// How this program is called from the folder that it was started in.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "n_users".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(relative) => format!("./{}", relative.display()),
        Err(_) => path.display().to_string(),
    }
}

/// A word for the shell that means itself.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

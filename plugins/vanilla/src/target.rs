//! Where a check reaches: URLs and addresses, checked as far as their templates allow.

use http::Uri;
use infrakit_template::Engine;

use crate::decode::{At, Decoded};

/// A page and the status that is healthy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HttpTarget {
    pub(crate) url: String,
    pub(crate) status: Option<u16>,
}

const HTTP_EXAMPLE: &str = r#"{"URL": "http://{{ index .Tags \"ip\" }}:8080/health"}"#;
const TCP_EXAMPLE: &str = "10.0.0.1:80";

pub(crate) fn http(at: At<'_>) -> Decoded<HttpTarget> {
    let fields = at.fields(&["URL", "Status"])?;
    let url = fields.read("URL", |at| {
        let url = at.string()?;
        if has_actions(url) {
            template(at.path(), url)?;
            // What the template makes of it is checked when it is known. Its start is, mostly.
            return match url.split_once("://") {
                Some((scheme, _)) if !has_actions(scheme) => check_scheme(scheme),
                _ => Ok(()),
            }
            .map_or_else(
                |why| at.wrong(&why, "http://10.0.0.1:8080/health"),
                |()| Ok(url.into()),
            );
        }
        match parse_url(url) {
            Ok(_) => Ok(url.to_owned()),
            Err(why) => at.wrong(&why, "http://10.0.0.1:8080/health"),
        }
    })?;
    let Some(url) = url else {
        return at.wrong("URL is needed", HTTP_EXAMPLE);
    };
    let status = fields.read("Status", |at| at.number(100, 599))?;
    let status = status.map(|status| u16::try_from(status).expect("at most 599"));
    Ok(HttpTarget { url, status })
}

pub(crate) fn tcp(at: At<'_>) -> Decoded<String> {
    let address = at.string()?;
    template(at.path(), address)?;
    if !has_actions(address)
        && let Err(why) = check_address(address)
    {
        return at.wrong(&why, TCP_EXAMPLE);
    }
    Ok(address.to_owned())
}

/// Checks that `text` is a template.
pub(crate) fn template(path: &str, text: &str) -> Decoded<()> {
    if !has_actions(text) {
        return Ok(());
    }
    Engine::new()
        .check(text, path)
        .map_err(|error| error.to_string())
}

/// Returns whether rendering `text` could change it.
pub(crate) fn has_actions(text: &str) -> bool {
    text.contains("{{")
}

/// Parses a URL that can be asked: plain http, with a host.
pub(crate) fn parse_url(url: &str) -> Result<Uri, String> {
    let uri: Uri = url
        .parse()
        .map_err(|error| format!("not a URL ({error})"))?;
    check_scheme(uri.scheme_str().unwrap_or_default())?;
    if uri.host().is_none_or(str::is_empty) {
        return Err("the URL needs a host".to_owned());
    }
    Ok(uri)
}

fn check_scheme(scheme: &str) -> Result<(), String> {
    if scheme.eq_ignore_ascii_case("http") {
        return Ok(());
    }
    if scheme.eq_ignore_ascii_case("https") {
        return Err("`https` is not supported yet, use Command with curl or an `http` URL".into());
    }
    Err("the URL must start with `http://`".to_owned())
}

/// Checks that `address` is `host:port`, with an IPv6 host in brackets.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err("expected host:port".to_owned());
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("expected a host in front of the port".to_owned());
    }
    if host.contains(':') && !bracketed {
        return Err("an IPv6 address needs brackets".to_owned());
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(()),
        _ => Err("expected a port from 1 to 65535".to_owned()),
    }
}

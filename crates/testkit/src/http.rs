use std::time::Duration;

use anyhow::Result;

const TIMEOUT: Duration = Duration::from_secs(10);

pub struct Answer {
    pub status: u16,
    pub www_authenticate: Option<String>,
    pub body: String,
}

/// Sends a `GET`; every status is an answer.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).proxy(None);
    let agent: ureq::Agent = config.build().into();
    let request = headers.iter().fold(agent.get(url), |request, (name, value)| request.header(*name, *value));
    let mut answer = request.call()?;
    let www_authenticate = answer.headers().get("www-authenticate");
    Ok(Answer {
        status: answer.status().as_u16(),
        www_authenticate: www_authenticate.and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: answer.body_mut().read_to_string()?,
    })
}

//! What the provider answers, method by method.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Shared;
use super::lives::{Life, tags};
use super::manners::{Fault, Pages, View};
use crate::cloud;
use crate::peer::Reply;

impl Shared {
    /// Instances.
    pub(super) fn answer(self: &std::sync::Arc<Self>, method: &str, params: &Value) -> Reply {
        self.note(method, params);
        let note = note(&params["Spec"]["Properties"]);
        let fault = self.manners().fault(method, note);
        match method {
            "Handshake.Hello" => Reply::Result(cloud::hello()),
            "Instance.Provision" => self.provision(&params["Spec"], fault),
            "Instance.Destroy" => self.destroy(params, fault),
            "Instance.DescribeInstances" => self.list(params, fault),
            "Instance.Label" => self.label(params, fault),
            "Instance.Validate" => self.simple(method, fault),
            "Instance.Behaviour" => self.behaviour(method, fault),
            _ => unknown(method),
        }
    }

    /// The flavor.
    pub(super) fn answer_flavor(&self, method: &str, params: &Value) -> Reply {
        self.note(method, params);
        let fault = self.manners().fault(method, "");
        match method {
            "Handshake.Hello" => {
                Reply::Result(json!({"Objects": {"Flavor/0.1.1": [{"Name": ".", "ProxyFor": ""}]}}))
            }
            "Flavor.Prepare" => match self.obstacle(method, fault) {
                Ok(_) => Reply::Result(json!({"Type": "", "Spec": params["Spec"]})),
                Err(reply) => reply,
            },
            "Flavor.Healthy" => match self.obstacle(method, fault) {
                Ok(_) => Reply::Result(json!({"Type": "", "Health": self.health(params)})),
                Err(reply) => reply,
            },
            "Flavor.Validate" | "Flavor.Drain" => self.simple(method, fault),
            _ => unknown(method),
        }
    }

    fn note(&self, method: &str, params: &Value) {
        // Specs and lists are many and large; only what a test asks for is kept of them.
        let about = match method {
            "Instance.Destroy" | "Instance.Label" => params["Instance"].clone(),
            "Flavor.Healthy" | "Flavor.Drain" => params["Instance"]["ID"].clone(),
            _ => Value::Null,
        };
        let call = (Instant::now(), method.to_owned(), about);
        self.world().calls.push(call);
    }

    fn provision(self: &std::sync::Arc<Self>, spec: &Value, fault: Option<Fault>) -> Reply {
        if matches!(fault, Some(Fault::Nothing)) {
            return Reply::Close;
        }
        if self.manners().tokens
            && let Some(known) = self.known_by_token(spec)
        {
            return known;
        }
        let attempt = self.world().begin(spec);
        let time = self.manners().time("Instance.Provision");
        match fault {
            Some(Fault::Refused(text)) => {
                sleep(time);
                self.world().give_up(attempt);
                return refused(&text);
            }
            Some(Fault::Error(error)) => {
                sleep(time);
                self.world().give_up(attempt);
                return Reply::Error(error);
            }
            Some(Fault::Throttled(seconds)) => {
                self.world().give_up(attempt);
                return throttled(seconds);
            }
            Some(Fault::OtherId(id)) => {
                self.world().give_up(attempt);
                return Reply::Result(json!({"Type": "", "ID": id}));
            }
            Some(Fault::Accepted) => {
                self.world().give_up(attempt);
                return Reply::Result(json!({"Type": "", "ID": format!("ghost-{attempt}")}));
            }
            Some(Fault::CloseBefore) => {
                self.world().give_up(attempt);
                return Reply::Close;
            }
            _ => {}
        }
        sleep(time);
        let (reuse, sick, vanish) = {
            let manners = self.manners();
            let sick = manners.sick_note.as_deref() == Some(note(&spec["Properties"]));
            (manners.reuse, sick, manners.vanish)
        };
        let spec = &self.placed(spec, attempt);
        let id = self.world().make(attempt, spec, reuse, sick);
        if let Some(time) = vanish {
            let (shared, id) = (std::sync::Arc::clone(self), id.clone());
            std::thread::spawn(move || {
                sleep(time);
                shared.world().end(&id);
            });
        }
        self.ended(fault.as_ref(), json!({"Type": "", "ID": id}))
    }

    fn destroy(&self, params: &Value, fault: Option<Fault>) -> Reply {
        let time = self.manners().time("Instance.Destroy");
        if let Some(Fault::Refused(text)) = &fault {
            return refused(text);
        }
        if let Some(Fault::Throttled(seconds)) = fault {
            return throttled(seconds);
        }
        let id = params["Instance"].as_str().unwrap_or_default();
        if let Some(life) = self.world().known(id) {
            life.doomed.get_or_insert_with(Instant::now);
        } else {
            return refused(&format!("not found: {id}"));
        }
        let done = json!({"Type": "", "OK": true});
        if matches!(fault, Some(Fault::Accepted)) {
            return Reply::Result(done);
        }
        if matches!(fault, Some(Fault::Late(_))) {
            self.world().end(id);
        }
        sleep(time);
        self.world().end(id);
        self.ended(fault.as_ref(), done)
    }

    fn list(&self, params: &Value, fault: Option<Fault>) -> Reply {
        if let Err(reply) = self.obstacle("Instance.DescribeInstances", fault) {
            return reply;
        }
        let view = self.manners().view.clone();
        let age = match &view {
            View::Old(age) => *age,
            View::Nobody => return Reply::Result(json!({"Type": "", "Descriptions": []})),
            View::Refused(text) => return refused(text),
            View::True | View::Without(_) => Duration::ZERO,
        };
        let with_properties = params["Properties"] == json!(true);
        let world = self.world();
        let lives = world.list(age, &tags(&params["Tags"])).into_iter();
        let shown = lives.filter(|life| match &view {
            View::Without(absent) => !absent.contains(&life.id),
            _ => true,
        });
        let (covers, pages) = {
            let manners = self.manners();
            (manners.covers.clone(), manners.pages)
        };
        let covered = shown.filter(|life| {
            let zone = life.tags.get("zone");
            let among = |zones: &BTreeSet<String>| zone.is_some_and(|zone| zones.contains(zone));
            covers.as_ref().is_none_or(among)
        });
        let list: Vec<Value> = covered
            .map(|life| describe(life, with_properties))
            .collect();
        let mut answer = json!({"Type": ""});
        if let Some(covers) = &covers {
            answer["Covers"] = json!(covers);
        }
        match (params["Page"].as_str(), pages) {
            (Some(page), Some(pages)) => paged(answer, list, page, pages),
            _ => {
                answer["Descriptions"] = json!(list);
                Reply::Result(answer)
            }
        }
    }

    /// Waits for the creation that was begun with the token, if there is one, and answers as that does.
    fn known_by_token(&self, spec: &Value) -> Option<Reply> {
        let number = self.world().begun_with(spec)?;
        loop {
            let attempt = self.world().attempts[number].clone();
            if attempt.spec != *spec {
                return Some(refused("IdempotentParameterMismatch"));
            }
            match (attempt.made, attempt.ended) {
                (Some(id), _) => return Some(Reply::Result(json!({"Type": "", "ID": id}))),
                (None, Some(_)) => return None,
                (None, None) => sleep(Duration::from_millis(20)),
            }
        }
    }

    /// What is asked for, in the zone whose turn it is.
    fn placed(&self, spec: &Value, attempt: usize) -> Value {
        let mut spec = spec.clone();
        let zones = &self.manners().zones;
        if !zones.is_empty() {
            spec["Tags"]["zone"] = json!(zones[attempt % zones.len()]);
        }
        spec
    }

    fn label(&self, params: &Value, fault: Option<Fault>) -> Reply {
        let done = json!({"Type": "", "OK": true});
        if matches!(fault, Some(Fault::Accepted)) {
            return Reply::Result(done);
        }
        if let Err(reply) = self.obstacle("Instance.Label", fault) {
            return reply;
        }
        let id = params["Instance"].as_str().unwrap_or_default();
        match self.world().known(id) {
            Some(life) => {
                life.tags.extend(tags(&params["Labels"]));
                Reply::Result(done)
            }
            None => refused(&format!("not found: {id}")),
        }
    }

    fn behaviour(&self, method: &str, fault: Option<Fault>) -> Reply {
        if let Err(reply) = self.obstacle(method, fault) {
            return reply;
        }
        match self.manners().behaviour.clone() {
            Some(declared) => Reply::Result(declared),
            None => unknown(method),
        }
    }

    fn simple(&self, method: &str, fault: Option<Fault>) -> Reply {
        match self.obstacle(method, fault) {
            Ok(()) => Reply::Result(json!({"Type": "", "OK": true})),
            Err(reply) => reply,
        }
    }

    /// 1 is healthy, 2 is not.
    fn health(&self, params: &Value) -> u8 {
        let id = params["Instance"]["ID"].as_str().unwrap_or_default();
        match self.world().known(id) {
            Some(life) if !life.sick => 1,
            _ => 2,
        }
    }

    /// Takes the time of a method that has no effect, or fails as it is to.
    fn obstacle(&self, method: &str, fault: Option<Fault>) -> Result<(), Reply> {
        let time = self.manners().time(method);
        sleep(time);
        match fault {
            Some(Fault::Refused(text)) => Err(refused(&text)),
            Some(Fault::Error(error)) => Err(Reply::Error(error)),
            Some(Fault::Throttled(seconds)) => Err(throttled(seconds)),
            Some(Fault::CloseBefore | Fault::CloseAfter | Fault::Nothing) => Err(Reply::Close),
            Some(Fault::Late(time)) => {
                sleep(time);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The answer to a call that did its work.
    fn ended(&self, fault: Option<&Fault>, result: Value) -> Reply {
        match fault {
            Some(Fault::CloseAfter) => return Reply::Close,
            Some(Fault::Late(time)) => sleep(*time),
            _ => {}
        }
        Reply::Result(result)
    }
}

/// The page that begins with the instance of that number.
fn paged(mut answer: Value, list: Vec<Value>, page: &str, pages: Pages) -> Reply {
    let first = page.parse().unwrap_or(0);
    let (size, next) = match pages {
        Pages::Of(size) => (size, first + size),
        Pages::Endless => (1, 1),
        Pages::Torn if first > 0 => return refused("this page is torn"),
        Pages::Torn => (1, 1),
    };
    if next < list.len() || pages == Pages::Endless {
        answer["Next"] = json!(next.to_string());
    }
    let page: Vec<Value> = list.into_iter().skip(first).take(size).collect();
    answer["Descriptions"] = json!(page);
    Reply::Result(answer)
}

fn describe(life: &Life, with_properties: bool) -> Value {
    let mut shown = json!({"ID": life.id, "LogicalID": life.logical_id, "Tags": life.tags});
    if with_properties {
        shown["Properties"] = life.properties.clone();
    }
    shown
}

fn note(properties: &Value) -> &str {
    properties["Note"].as_str().unwrap_or_default()
}

fn refused(text: &str) -> Reply {
    Reply::Error(json!({"code": -32000, "message": text, "data": null}))
}

fn unknown(method: &str) -> Reply {
    refused(&format!("rpc: can't find method \"{method}\""))
}

fn throttled(seconds: u64) -> Reply {
    let headers = vec![format!("Retry-After: {seconds}")];
    Reply::Http("429 Too Many Requests", headers, "slow down".to_owned())
}

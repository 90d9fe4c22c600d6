//! HCL in the shape that version 1 of the language gave it: each block and each object is a list
//! of dicts, so that several of the same name stand side by side.

use hcl::expr::{Expression, ObjectKey};
use hcl::structure::{Body, Structure};
use serde_json::{Map, Value};

/// Longest text; the parser recurses over what it nests.
const DEEPEST: usize = 100;

/// Reads HCL or JSON.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| format!("neither JSON nor HCL: {error}"));
    }
    if nesting(text) > DEEPEST {
        return Err(format!("not HCL: it nests more than {DEEPEST} deep"));
    }
    let body: Body = hcl::from_str(text).map_err(|error| {
        let message = error.to_string();
        let line = message.lines().rfind(|line| !line.trim().is_empty());
        let place = message
            .lines()
            .next()
            .unwrap_or_default()
            .trim_matches([' ', '-', '>']);
        format!(
            "not HCL: {}, {place}",
            line.unwrap_or_default().trim_matches([' ', '='])
        )
    })?;
    Ok(Value::Object(self::body(&body)))
}

/// Returns how deep brackets are nested, those in texts counted as well.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '{' | '[' | '(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn body(body: &Body) -> Map<String, Value> {
    let mut object = Map::new();
    for structure in body.iter() {
        match structure {
            Structure::Attribute(attribute) => {
                let value = expression(attribute.expr());
                put(&mut object, attribute.key(), value);
            }
            Structure::Block(block) => {
                let mut value = Value::Object(self::body(block.body()));
                for label in block.labels().iter().rev() {
                    let inner = list(value);
                    value = Value::Object(Map::from_iter([(label.as_str().to_owned(), inner)]));
                }
                put(&mut object, block.identifier(), list(value));
            }
        }
    }
    object
}

fn list(value: Value) -> Value {
    Value::Array(vec![value])
}

/// Adds a value under a key; lists of objects under the same key are joined, else the last wins.
fn put(object: &mut Map<String, Value>, key: &str, value: Value) {
    let holds_objects = |list: &[Value]| list.iter().all(Value::is_object) && !list.is_empty();
    match (object.get_mut(key), value) {
        (Some(Value::Array(old)), Value::Array(new))
            if holds_objects(old) && holds_objects(&new) =>
        {
            old.extend(new);
        }
        (_, value) => {
            object.insert(key.to_owned(), value);
        }
    }
}

fn expression(expression: &Expression) -> Value {
    match expression {
        Expression::Null => Value::Null,
        Expression::Bool(flag) => (*flag).into(),
        Expression::Number(number) => serde_json::to_value(number).unwrap_or(Value::Null),
        Expression::String(text) => text.as_str().into(),
        Expression::Array(items) => items.iter().map(self::expression).collect(),
        Expression::Object(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = match key {
                    ObjectKey::Identifier(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.clone(),
                    other => other.to_string(),
                };
                put(&mut object, &key, self::expression(value));
            }
            list(Value::Object(object))
        }
        // `"${var.a}"` is a text here, as it was for version 1.
        Expression::TemplateExpr(template) => {
            use hcl::expr::TemplateExpr;
            match &**template {
                TemplateExpr::QuotedString(text) => text.as_str().into(),
                TemplateExpr::Heredoc(heredoc) => heredoc.template.as_str().into(),
            }
        }
        other => hcl::format::to_string(other)
            .unwrap_or_default()
            .trim_end()
            .into(),
    }
}

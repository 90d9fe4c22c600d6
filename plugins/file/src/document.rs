//! What stands in an instance file, and how it is written for people.

use infrakit_spi::instance::InstanceSpec;
use infrakit_spi::{Any, LogicalId, Tags, compact, wire_struct};
use serde::Serialize;

wire_struct! {
    /// An instance file as it is read. The id inside is not: the name of the file counts, so
    /// that a copied file is an instance of its own.
    pub(crate) struct Document {
        /// Identity of a pet.
        pub(crate) logical_id: Option<LogicalId> => "LogicalID",
        /// Tags of the instance, labels included.
        pub(crate) tags: Option<Tags> => "Tags",
        /// What the instance was made from.
        pub(crate) spec: InstanceSpec => "Spec",
    }
}

/// An instance file as it is written.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Rendered<'a> {
    #[serde(rename = "ID")]
    pub(crate) id: &'a str,
    #[serde(rename = "LogicalID")]
    pub(crate) logical_id: Option<&'a LogicalId>,
    pub(crate) tags: Option<&'a Tags>,
    pub(crate) spec: &'a Any,
}

impl Rendered<'_> {
    /// Returns the bytes of the file, indented, with a line feed at the end.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = indent(&serde_json::to_vec(self)?);
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Returns the whole spec as the compact document that a list shows as properties.
pub(crate) fn spec_document(spec: &InstanceSpec) -> serde_json::Result<Any> {
    let document = Any::from_value(spec)?;
    match compact(document.as_str().as_bytes()) {
        std::borrow::Cow::Borrowed(_) => Ok(document),
        std::borrow::Cow::Owned(bytes) => serde_json::from_slice(&bytes),
    }
}

/// Indents valid JSON by two spaces a level, keeping order, numbers and strings as they are.
fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => copy_string(&mut out, &mut bytes),
            b'{' | b'[' => {
                out.push(byte);
                while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
                if let Some(close) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.push(byte),
        }
    }
    out
}

fn new_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + depth * 2, b' ');
}

/// Copies the rest of a string whose opening quote was just read.
fn copy_string(out: &mut Vec<u8>, bytes: &mut impl Iterator<Item = u8>) {
    out.push(b'"');
    while let Some(byte) = bytes.next() {
        out.push(byte);
        match byte {
            b'"' => return,
            b'\\' => out.extend(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_fields_in_order_and_indented() {
        let spec: InstanceSpec = serde_json::from_str(
            r#"{"Properties":{ "z":1.50, "a":[ ], "s":"{,: \" }"},"Init":"a\nb"}"#,
        )
        .unwrap();
        let spec = spec_document(&spec).unwrap();
        let rendered = Rendered {
            id: "instance-1",
            logical_id: None,
            tags: Some(&Tags::from([("k".to_owned(), "v".to_owned())])),
            spec: &spec,
        };
        let want = r#"{
  "ID": "instance-1",
  "LogicalID": null,
  "Tags": {
    "k": "v"
  },
  "Spec": {
    "Properties": {
      "z": 1.50,
      "a": [],
      "s": "{,: \" }"
    },
    "Tags": null,
    "Init": "a\nb",
    "LogicalID": null,
    "Attachments": null
  }
}
"#;
        assert_eq!(
            String::from_utf8(rendered.to_bytes().unwrap()).unwrap(),
            want
        );
    }

    #[test]
    fn reads_back_what_it_wrote_and_what_people_write() {
        for text in [
            r#"{"ID":"x","LogicalID":"pet","Tags":{"a":"b"},"Spec":{"Init":"i"}}"#,
            "{ \"tags\" : {\"a\":\"b\"},\n\n\"logicalid\":\"pet\", \"spec\":{\"init\":\"i\"} }",
        ] {
            let document: Document = serde_json::from_str(text).unwrap();
            assert_eq!(document.logical_id, Some(LogicalId::from("pet")));
            assert_eq!(document.tags.unwrap()["a"], "b");
            assert_eq!(document.spec.init, "i");
        }
    }
}

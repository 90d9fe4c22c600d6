//! The owner of a repository: has a key, and publishes what it signs.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use tough::async_trait;
use tough::editor::RepositoryEditor;
use tough::editor::signed::SignedRole;
use tough::key_source::KeySource;
use tough::schema::{KeyHolder, RoleKeys, RoleType, Root};
use tough::sign::{Sign, parse_keypair};

/// An owner.
pub(crate) struct Signer {
    key: Key,
    /// Root metadata, the first version first.
    roots: Vec<SignedRole<Root>>,
}

#[derive(Clone, Debug)]
struct Key(Vec<u8>);

#[async_trait]
impl KeySource for Key {
    async fn as_sign(
        &self,
    ) -> Result<Box<dyn Sign>, Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(Box::new(parse_keypair(&self.0)?))
    }

    async fn write(
        &self,
        _value: &str,
        _key_id_hex: &str,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(())
    }
}

impl Key {
    fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(document.as_ref().to_vec())
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn sources(keys: &[&Key]) -> Vec<Box<dyn KeySource>> {
    let boxed = |key: &&Key| Box::new((*key).clone()) as Box<dyn KeySource>;
    keys.iter().map(boxed).collect()
}

fn root(key: &Key, version: u64, expires: &str) -> Root {
    let public = parse_keypair(&key.0).unwrap().tuf_key();
    let id = public.key_id().unwrap();
    let role = RoleKeys {
        keyids: vec![id.clone()],
        threshold: NonZeroU64::MIN,
        _extra: HashMap::new(),
    };
    let all = [
        RoleType::Root,
        RoleType::Snapshot,
        RoleType::Targets,
        RoleType::Timestamp,
    ];
    Root {
        spec_version: "1.0.0".to_owned(),
        consistent_snapshot: false,
        version: NonZeroU64::new(version).unwrap(),
        expires: expires.parse().unwrap(),
        keys: HashMap::from([(id, public)]),
        roles: all.into_iter().map(|kind| (kind, role.clone())).collect(),
        _extra: HashMap::new(),
    }
}

impl Signer {
    /// An owner whose root metadata expires then.
    pub(crate) fn new(expires: &str) -> Self {
        let key = Key::new();
        let root = root(&key, 1, expires);
        let holder = KeyHolder::Root(root.clone());
        let random = SystemRandom::new();
        let signed = block_on(SignedRole::new(root, &holder, &sources(&[&key]), &random));
        Self {
            key,
            roots: vec![signed.unwrap()],
        }
    }

    /// The same owner with a new key, which the old one has signed.
    pub(crate) fn successor(&self, expires: &str) -> Self {
        let key = Key::new();
        let old = self.roots.last().unwrap();
        let next = root(&key, self.roots.len() as u64 + 1, expires);
        let random = SystemRandom::new();
        let sign = |holder, key: &Key| {
            block_on(SignedRole::new(
                next.clone(),
                &holder,
                &sources(&[key]),
                &random,
            ))
            .unwrap()
        };
        let by_old = sign(KeyHolder::Root(old.signed().signed.clone()), &self.key);
        let by_new = sign(KeyHolder::Root(next.clone()), &key);
        let signatures = by_old.signed().signatures.clone();
        let mut roots = self.roots.clone();
        roots.push(by_new.add_old_signatures(signatures).unwrap());
        Self { key, roots }
    }

    /// The root metadata that users get from somewhere else.
    pub(crate) fn root(&self) -> &[u8] {
        self.roots[0].buffer()
    }

    /// Writes a repository with these files at `path`, all of whose metadata has this version.
    pub(crate) fn publish(&self, path: &Path, version: u64, expires: &str, files: &[(&str, &str)]) {
        let (metadata, targets) = (path.join("metadata"), path.join("targets"));
        let scratch = tempfile::tempdir().unwrap();
        let newest = scratch.path().join("root.json");
        std::fs::write(&newest, self.roots.last().unwrap().buffer()).unwrap();
        let version = NonZeroU64::new(version).unwrap();
        block_on(async {
            let mut editor = RepositoryEditor::new(&newest).await.unwrap();
            for (name, content) in files {
                let file = targets.join(name);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, content).unwrap();
                let (_, target) = RepositoryEditor::build_target(&file).await.unwrap();
                editor.add_target(*name, target).unwrap();
            }
            editor.targets_version(version).unwrap();
            editor.targets_expires(expires.parse().unwrap()).unwrap();
            editor.snapshot_version(version);
            editor.snapshot_expires(expires.parse().unwrap());
            editor.timestamp_version(version);
            editor.timestamp_expires(expires.parse().unwrap());
            let signed = editor.sign(&sources(&[&self.key])).await.unwrap();
            signed.write(&metadata).await.unwrap();
        });
        for (index, root) in self.roots.iter().enumerate() {
            let name = format!("{}.root.json", index + 1);
            std::fs::write(metadata.join(name), root.buffer()).unwrap();
        }
    }
}

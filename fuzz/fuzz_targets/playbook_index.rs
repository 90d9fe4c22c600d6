//! A playbook from another machine: an index, a command and a registry, of any bytes. Nothing of it
//! may panic, hang, or reach anything; what is asked has no answer.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_playbook::{
    Act, Defaults, Grants, Node, Nobody, Options, Place, Player, Playbook, ReadError, Reach, Source,
    check, description, gather, index, parse_registry,
};
use libfuzzer_sys::fuzz_target;

/// The first part is the index, the second the file of every command.
struct Parts<'a> {
    index: &'a str,
    command: &'a str,
}

impl Source for Parts<'_> {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let path = place.as_str();
        if path.ends_with("/index.yml") {
            Ok(self.index.as_bytes().to_vec())
        } else if path.ends_with('e') {
            Err(ReadError::NotFound)
        } else {
            Ok(self.command.as_bytes().to_vec())
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (first, second) = text.split_once('\0').unwrap_or((text, text));
    let _ = (index(first), description(second), parse_registry(first));
    let root = Place::stored("http://h/p/index.yml").expect("it is a URL");
    if let Ok(place) = root.join(first) {
        let _ = (root.key_of(&place), place.shown(), place.index_inside());
    }
    let parts = Parts {
        index: first,
        command: second,
    };
    let reach = Reach::of(&root, &Grants::new(), &Arc::new(BTreeMap::new()));
    let Ok(gathered) = gather("p", &root, &parts, &reach) else {
        return;
    };
    let playbook = Playbook::unlocked("p", root, gathered, reach);
    let tree = playbook.tree();
    let command = match tree.first() {
        Ok(Node::Command(command)) => command,
        Ok(Node::Index(index)) => {
            let below = index.commands.keys().map(|word| tree.below(&index, word));
            let mut commands = below.filter_map(|node| match node {
                Ok(Node::Command(command)) => Some(command),
                _ => None,
            });
            match commands.next() {
                Some(command) => command,
                None => return,
            }
        }
        Err(_) => return,
    };
    let player = Player::new(&playbook, None, Arc::new(|_| {}));
    let definition = player.define(&command);
    let _ = check(&playbook, &command);
    let options = Options {
        given: BTreeMap::new(),
        act: Act::Pretend,
        defaults: Defaults::Asked,
        ask: Arc::new(Nobody),
    };
    let _ = player.run(&command, &definition, options);
});

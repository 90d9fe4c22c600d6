//! Commands in their phases: which flags they have, what they ask, what they make.

mod reach;

use std::sync::Mutex;

use super::*;
use crate::backend::{Backend, Word};
use crate::flags::Values;
use crate::gather;
use crate::lock::{Grant, Grants};
use crate::testing::Files;
use crate::tree::{Node, Reach};

/// Answers from a list, and remembers what was asked.
#[derive(Default)]
struct Answers {
    left: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
    person: bool,
}

impl Answers {
    fn new(answers: &[&str]) -> Self {
        let mut left: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        left.reverse();
        Self {
            left: Mutex::new(left),
            ..Self::default()
        }
    }

    fn person(mut self) -> Self {
        self.person = true;
        self
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Ask for Answers {
    fn ask(&self, question: &crate::Question<'_>) -> Result<Option<String>, String> {
        let default = question
            .default
            .map_or(String::new(), |default| format!(" [{default}]"));
        let asked = format!("{}{default}", question.text);
        self.asked.lock().unwrap().push(asked);
        Ok(self.left.lock().unwrap().pop())
    }

    fn is_person(&self) -> bool {
        self.person
    }

    fn complain(&self, why: &str) {
        self.asked.lock().unwrap().push(format!("! {why}"));
    }
}

/// A playbook of another machine, in memory.
fn playbook(files: &Files, allow: &[Grant]) -> Playbook {
    let root = files.place("index.yml");
    let env = Arc::new([("USER".to_owned(), "ada".to_owned())].into());
    let allow: Grants = allow.iter().copied().collect();
    let reach = Reach::of(&root, &allow, &env);
    let gathered = gather("p", &root, files, &reach).unwrap();
    Playbook::unlocked("p", root, gathered, reach)
}

fn command(playbook: &Playbook, words: &[&str]) -> Command {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    match playbook.tree().find(&words).unwrap() {
        (Node::Command(command), _) => command,
        (Node::Index(index), _) => panic!("{index:?}"),
    }
}

/// One command, `x`, with everything allowed.
struct One(Playbook);

impl One {
    fn new(text: &str) -> Self {
        Self(playbook(
            &Files::new(&[("index.yml", "x: x.sh"), ("x.sh", text)]),
            &Grant::ALL,
        ))
    }

    fn command(&self) -> Command {
        command(&self.0, &["x"])
    }

    fn player(&self) -> Player<'_> {
        Player::new(&self.0, None, Arc::new(|_| {}))
    }

    fn define(&self) -> Definition {
        self.player().define(&self.command())
    }

    fn run_with(
        &self,
        given: &[(&str, &str)],
        ask: Arc<dyn Ask>,
        defaults: Defaults,
    ) -> Result<Script, RunError> {
        let definition = self.define();
        let given = given
            .iter()
            .map(|(name, text)| {
                let flag = definition
                    .flags
                    .iter()
                    .find(|flag| flag.name == *name)
                    .unwrap();
                ((*name).to_owned(), flag.kind.read(text).unwrap())
            })
            .collect();
        let options = Options {
            given,
            act: Act::Really,
            defaults,
            ask,
        };
        self.player().run(&self.command(), &definition, options)
    }

    fn run(&self, given: &[(&str, &str)]) -> String {
        let script = self.run_with(given, Arc::new(Nobody), Defaults::Asked);
        script.unwrap().text.trim().to_owned()
    }
}

#[test]
fn flags_have_types_defaults_and_descriptions() {
    let one = One::new(
        "{{ flag `s` `string` `a text` }} {{ param `i` `int` `a number` 2 }} {{ flag `f` `float` `x` 1.5 }}\
         {{ flag `b` `bool` `x` }} {{ flag `b2` `bool` `x` true }} {{ flag `ip` `ip` `x` }}\
         {{ flag `d` `duration` `x` `90s` }} {{ listflag `l` `string` `x` `a,b` }} {{ flag `i` `string` `again` }}",
    );
    let flags: Vec<String> = one
        .define()
        .flags
        .iter()
        .map(|flag| {
            let default = flag
                .default
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string);
            format!("{} {} {default}", flag.name, flag.kind.word())
        })
        .collect();
    assert_eq!(
        flags,
        [
            "s string -",
            "i int 2",
            "f float 1.5",
            "b bool -",
            "b2 bool true",
            "ip ip -",
            "d duration 1m30s",
            "l string a,b"
        ]
    );
    assert_eq!(one.define().flags[7].values, Values::List);
    assert_eq!(one.define().flags[0].about, "a text");
}

#[test]
fn values_of_flags_reach_the_script() {
    let one = One::new(
        "s={{ flag `s` `string` `x` }} i={{ flag `i` `int` `x` 2 }} b={{ flag `b` `bool` `x` }} \
         b2={{ flag `b2` `bool` `x` true }} l={{ listflag `l` `string` `x` `a,b` }} \
         d={{ flag `d` `duration` `x` }} ip={{ flag `ip` `ip` `x` }}",
    );
    assert_eq!(one.run(&[]), "s= i=2 b= b2=true l=[a b] d= ip=");
    assert_eq!(
        one.run(&[
            ("s", "x"),
            ("i", "3"),
            ("b", "true"),
            ("b2", "false"),
            ("l", "q, r"),
            ("d", "5s"),
            ("ip", "1.2.3.4")
        ]),
        "s=x i=3 b=true b2=false l=[q r] d=5s ip=1.2.3.4"
    );
}

#[test]
fn a_question_is_asked_only_for_what_was_not_given() {
    let one = One::new(
        "{{ $n := flag `name` `string` `who` | prompt `Your name?` `string` `world` }}hello {{ $n }}",
    );
    assert_eq!(one.run(&[("name", "bob")]), "hello bob");
    for (answers, want) in [
        (vec!["zed"], "hello zed"),
        (vec![""], "hello world"),
        (vec![], "hello world"),
    ] {
        let ask = Arc::new(Answers::new(&answers));
        let script = one.run_with(&[], ask.clone(), Defaults::Asked).unwrap();
        assert_eq!(script.text, want);
        assert_eq!(ask.asked(), ["Your name? [world]"]);
    }
    let ask = Arc::new(Answers::new(&["zed"]));
    let script = one.run_with(&[], ask.clone(), Defaults::Accepted).unwrap();
    assert_eq!(
        (script.text.as_str(), ask.asked().len()),
        ("hello world", 0)
    );
}

#[test]
fn without_a_pipe_only_a_trailing_nil_makes_it_ask() {
    let one =
        One::new("{{ $ok := prompt `Sure?` `bool` `no` nil }}{{ if $ok }}yes{{ else }}no{{ end }}");
    for (answer, want) in [
        ("y", "yes"),
        ("ok", "yes"),
        ("1", "yes"),
        ("nope", "no"),
        ("", "no"),
    ] {
        let ask = Arc::new(Answers::new(&[answer]));
        let script = one.run_with(&[], ask, Defaults::Asked).unwrap();
        assert_eq!(script.text, want, "{answer}");
    }
    let one = One::new("{{ prompt `Sure?` `string` `piped` }}");
    assert_eq!(one.run(&[]), "piped");
}

#[test]
fn a_condition_guards_the_question_behind_it() {
    let one = One::new(
        "{{ $go := flag `go` `bool` `x` | prompt `Go?` `bool` `no` }}\
         {{ $z := flag `zone` `string` `x` | cond $go | prompt `Zone?` `string` `here` }}{{ $go }} {{ $z }}",
    );
    let ask = Arc::new(Answers::new(&["no"]));
    let script = one.run_with(&[], ask.clone(), Defaults::Asked).unwrap();
    assert_eq!((script.text.as_str(), ask.asked().len()), ("false ", 1));
    let ask = Arc::new(Answers::new(&["yes", "there"]));
    let script = one.run_with(&[], ask.clone(), Defaults::Asked).unwrap();
    assert_eq!(script.text, "true there");
    assert_eq!(ask.asked(), ["Go? [no]", "Zone? [here]"]);
    assert_eq!(one.run(&[("go", "true"), ("zone", "z")]), "true z");
}

#[test]
fn lists_are_asked_for_as_well() {
    let one = One::new(
        "{{ $l := listflag `l` `string` `x` | listprompt `Which?` `string` `a,b` }}{{ range $l }}<{{ . }}>{{ end }}",
    );
    assert_eq!(one.run(&[("l", "q")]), "<q>");
    let ask = Arc::new(Answers::new(&["x, y"]));
    let script = one.run_with(&[], ask.clone(), Defaults::Asked).unwrap();
    assert_eq!(script.text, "<x><y>");
    let script = one.run_with(&[], ask, Defaults::Accepted).unwrap();
    assert_eq!(script.text, "<a><b>");
}

#[test]
fn a_question_without_answer_is_an_error_that_names_the_flag() {
    let one = One::new("{{ flag `ami` `string` `x` | prompt `AMI?` `string` }}");
    let error = one
        .run_with(&[], Arc::new(Nobody), Defaults::Asked)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`AMI?` has no answer: it has no default, and the standard input has ended"
    );
    assert_eq!(error.hint().unwrap(), "answer it with `--ami`");
    let error = one
        .run_with(&[], Arc::new(Nobody), Defaults::Accepted)
        .unwrap_err();
    assert_eq!(error.to_string(), "`AMI?` has no answer: it has no default");
    // A person may leave it empty.
    let ask = Arc::new(Answers::new(&[""]).person());
    assert_eq!(one.run_with(&[], ask, Defaults::Asked).unwrap().text, "");
}

#[test]
fn a_wrong_answer_is_asked_again_of_a_person_only() {
    let one = One::new("{{ flag `n` `int` `x` | prompt `How many?` `int` 2 }}");
    let ask = Arc::new(Answers::new(&["many", "3"]).person());
    let script = one.run_with(&[], ask.clone(), Defaults::Asked).unwrap();
    assert_eq!(script.text, "3");
    assert_eq!(ask.asked()[1], "! `many` is not a whole number");
    let ask = Arc::new(Answers::new(&["many", "3"]));
    let error = one
        .run_with(&[], ask, Defaults::Asked)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`How many?` has no answer: `many` is not a whole number"
    );
}

#[test]
fn the_last_directive_chooses_the_backend() {
    for (text, want) in [
        ("{{/* =% sh %= */}}x", Some((Backend::Sh, vec![]))),
        (
            "{{/* =% print %= */}}{{/* =% sh `-s` `--` %= */}}",
            Some((
                Backend::Sh,
                vec![Word::Text("-s".into()), Word::Text("--".into())],
            )),
        ),
        (
            "{{/* =% instanceProvision `sim/x` true %= */}}",
            Some((
                Backend::InstanceProvision,
                vec![Word::Text("sim/x".into()), Word::Truth(true)],
            )),
        ),
        (
            "{{/* =% doc `# ` %= */}}",
            Some((Backend::Print, vec![Word::Text("# ".into())])),
        ),
        ("nothing", None),
    ] {
        let one = One::new(text);
        let script = one
            .run_with(&[], Arc::new(Nobody), Defaults::Asked)
            .unwrap();
        let got = script
            .directive
            .map(|directive| (directive.backend, directive.words));
        assert_eq!(got, want, "{text}");
    }
    let one = One::new("{{/* =% ssh %= */}}{{ flag `user` `string` `mine` }}");
    let names: Vec<String> = one
        .define()
        .flags
        .iter()
        .map(|flag| flag.name.clone())
        .collect();
    assert_eq!(names, ["user", "hostport", "keyfile", "password"]);
    assert_eq!(one.define().flags[0].about, "mine");
    let error = One::new("{{/* =% shh %= */}}")
        .run_with(&[], Arc::new(Nobody), Defaults::Asked)
        .unwrap_err();
    assert!(error.to_string().contains("did you mean `sh`?"), "{error}");
}

#[test]
fn sourced_templates_share_their_flags_and_variables() {
    let files = Files::new(&[
        ("index.yml", "start: start.sh"),
        (
            "start.sh",
            "{{/* =% sh %= */}}{{ $p := flag `project` `string` `x` `test` }}{{ var `/project` $p }}\
             {{ source `sub/gcp.sh` }}{{ if var `started` }}done{{ end }}",
        ),
        (
            "sub/gcp.sh",
            "{{ $gcp := flag `start-gcp` `bool` `x` | prompt `Start?` `bool` `no` }}{{ $p := var `/project` }}\
             {{ if $gcp }}start {{ $p }} {{ var `started` true }}{{ source `zone.txt` }}{{ end }}",
        ),
        ("sub/zone.txt", "here "),
    ]);
    let playbook = playbook(&files, &[]);
    let command = command(&playbook, &["start"]);
    let player = Player::new(&playbook, None, Arc::new(|_| {}));
    let definition = player.define(&command);
    let names: Vec<&str> = definition
        .flags
        .iter()
        .map(|flag| flag.name.as_str())
        .collect();
    assert_eq!(names, ["project", "start-gcp"]);
    assert!(definition.warnings.is_empty(), "{:?}", definition.warnings);
    let options = Options {
        given: [
            ("project".to_owned(), Setting::Text("mine".to_owned())),
            ("start-gcp".to_owned(), Setting::Bool(true)),
        ]
        .into(),
        act: Act::Really,
        defaults: Defaults::Asked,
        ask: Arc::new(Nobody),
    };
    let script = player.run(&command, &definition, options).unwrap();
    assert_eq!(script.text, "start mine here done");
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_place() {
    let one = One::new("{{ flag `a` `string` `x` }}\n{{ nosuchfunc }}");
    let error = one
        .run_with(&[], Arc::new(Nobody), Defaults::Asked)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("x.sh:2:4: function \"nosuchfunc\" not defined"),
        "{error}"
    );
    assert!(
        check(&one.0, &one.command())
            .unwrap()
            .contains("nosuchfunc")
    );
    let one = One::new("{{ flag `a` `sting` `x` }}");
    let error = one
        .run_with(&[], Arc::new(Nobody), Defaults::Asked)
        .unwrap_err();
    assert!(
        error.to_string().contains("type `sting` is not known"),
        "{error}"
    );
    assert_eq!(check(&one.0, &one.command()), None);
}

#[test]
fn flags_that_cannot_be_are_left_out_and_said_so() {
    let one = One::new(
        "{{ flag `test` `bool` `x` }}{{ flag `a b` `string` `x` }}{{ flag `c` `int` `x` `one` }}{{ flag `d` `string` `x` }}",
    );
    let definition = one.define();
    assert!(definition.flags.is_empty());
    assert_eq!(definition.warnings.len(), 3, "{:?}", definition.warnings);
}

#[test]
fn an_index_may_be_a_template() {
    let files = Files::new(&[
        ("index.yml", "{{ range loop 2 }}x{{ . }}: x.sh\n{{ end }}"),
        ("x.sh", "{{/* =% sh %= */}}"),
    ]);
    let playbook = playbook(&files, &[]);
    assert_eq!(command(&playbook, &["x1"]).words, ["p", "x1"]);
}

//! Every refusal in its words, and what is unusual but passes.

use infrakit_spi::Any;

use crate::Spec;

fn parse(allocation: &str, part: &str) -> Result<Spec, String> {
    let text = format!(r#"{{"Allocation":{allocation}{part}}}"#);
    let any = Any::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    // What is refused for its relations is still decoded: a restart must not lose the group.
    Spec::parse(Some(&any)).map_err(|error| {
        error
            .to_string()
            .strip_prefix("Invalid properties: ")
            .unwrap_or_else(|| panic!("{text}: {error}"))
            .to_owned()
    })
}

fn refused(table: &[(&str, &str, &str)]) {
    for (allocation, part, want) in table {
        match parse(allocation, &format!(",{part}")) {
            Ok(_) => panic!("{allocation} {part} was taken"),
            Err(problem) => assert_eq!(&problem, want),
        }
    }
}

const TEN: &str = r#"{"Size":10}"#;
const FOUR: &str = r#"{"Size":4}"#;
const PETS: &str = r#"{"LogicalIDs":["a","b"]}"#;

#[test]
fn budgets_that_let_everything_go_or_nothing() {
    refused(&[
        (
            TEN,
            r#""Updating":{"MaxUnavailable":10}"#,
            "Updating.MaxUnavailable: `10` lets all 10 members go at once; expected at most 9, or a percentage like \"50%\"",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailable":11,"MaxSurge":1}"#,
            "Updating.MaxUnavailable: `11` lets all 10 members go at once; expected at most 9, or a percentage like \"50%\"",
        ),
        (
            PETS,
            r#""Updating":{"MaxUnavailable":2}"#,
            "Updating.MaxUnavailable: `2` lets all 2 members go at once; expected at most 1, or a percentage like \"50%\"",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailable":"100%"}"#,
            "Updating.MaxUnavailable: `100%` lets all members go at once; expected less, like \"50%\"",
        ),
        (
            r#"{"Size":1}"#,
            r#""Updating":{"MaxUnavailable":"100%"}"#,
            "Updating.MaxUnavailable: `100%` lets all members go at once; expected less, like \"50%\"",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailable":0}"#,
            "Updating.MaxUnavailable: `0` without MaxSurge lets no member ever be replaced; expected at least 1, or MaxSurge, like 1",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailable":0,"MaxSurge":0}"#,
            "Updating.MaxUnavailable: `0` without MaxSurge lets no member ever be replaced; expected at least 1, or MaxSurge, like 1",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailable":"0%","MaxSurge":1}"#,
            "Updating.MaxUnavailable: `0%` is no share; expected a percentage like \"10%\", or 0 together with MaxSurge, like 1",
        ),
        (
            TEN,
            r#""Updating":{"MaxSurge":"0%"}"#,
            "Updating.MaxSurge: `0%` is no share; write 0 for no surge, or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"MaxSurge":1000001}"#,
            "Updating.MaxSurge: expected at most 1000000, found `1000001`",
        ),
        (
            r#"{"Size":1}"#,
            r#""Updating":{"MaxUnavailable":1000001}"#,
            "Updating.MaxUnavailable: expected at most 1000000, found `1000001`",
        ),
        (
            PETS,
            r#""Updating":{"MaxSurge":1}"#,
            "Updating.MaxSurge: `1` cannot be used with LogicalIDs, since an identity cannot exist twice; leave it out, and use MaxUnavailable, like 1",
        ),
        (
            PETS,
            r#""Updating":{"Order":"surge-first"}"#,
            "Updating.Order: `surge-first` cannot be used with LogicalIDs, since an identity cannot exist twice; expected \"destroy-first\"",
        ),
        (
            TEN,
            r#""Updating":{"Order":"surge-first"}"#,
            "Updating.Order: `surge-first` needs room for new members beside the old ones; give MaxSurge, like 1, or \"destroy-first\"",
        ),
        (
            TEN,
            r#""Updating":{"Order":"destroy-first","MaxSurge":1}"#,
            "Updating.Order: `destroy-first` takes a member away before the new one comes, but MaxUnavailable is 0 where MaxSurge is given and it is not; give MaxUnavailable, like 1, or \"surge-first\"",
        ),
        (
            TEN,
            r#""Updating":{"Order":"destroy-first","MaxSurge":1,"MaxUnavailable":0}"#,
            "Updating.Order: `destroy-first` takes a member away before the new one comes, but MaxUnavailable is 0; give MaxUnavailable, like 1, or \"surge-first\"",
        ),
        (
            FOUR,
            r#""Updating":{"Order":"destroy-first","MaxSurge":1,"MaxUnavailable":"10%"}"#,
            "Updating.Order: `destroy-first` takes a member away before the new one comes, but MaxUnavailable is 10% of 4 members, which is 0; give MaxUnavailable, like 1, or \"surge-first\"",
        ),
        (
            TEN,
            r#""Updating":{"Order":"surge"}"#,
            "Updating.Order: expected \"surge-first\" or \"destroy-first\", found `surge`",
        ),
        (
            TEN,
            r#""Updating":{"MaxUnavailabel":1}"#,
            "Updating.MaxUnavailabel: unknown field; did you mean `MaxUnavailable`?",
        ),
    ]);
}

#[test]
fn shares_that_are_none() {
    let expected = "Updating.MaxUnavailable: expected a count like 2 or a percentage like \"10%\"";
    for (share, found) in [
        ("-1", "`-1`, which is negative"),
        (r#""-1""#, "`\"-1\"`, which is negative"),
        (r#""-10%""#, "`\"-10%\"`, which is negative"),
        (r#""101%""#, "`\"101%\"`, which is more than all"),
        (r#""1000%""#, "`\"1000%\"`, which is more than all"),
        (r#""10 %""#, "`\"10 %\"`, which has blanks in it"),
        (r#"" 10%""#, "`\" 10%\"`, which has blanks in it"),
        ("2.5", "`2.5`, which is not a whole number"),
        (r#""2.5%""#, "`\"2.5%\"`, which is not a whole number"),
        (r#""ten""#, "`\"ten\"`"),
        (r#""10%%""#, "`\"10%%\"`"),
        (r#""%""#, "`\"%\"`"),
        (r#""""#, "`\"\"`"),
        ("true", "`true`"),
        ("[1]", "a list"),
        ("{}", "an object"),
        ("99999999999999999999999", "`99999999999999999999999`"),
    ] {
        let problem = parse(TEN, &format!(r#","Updating":{{"MaxUnavailable":{share}}}"#));
        assert_eq!(problem.unwrap_err(), format!("{expected}, found {found}"));
    }
}

#[test]
fn ceilings_below_what_is_needed() {
    let with = |ceiling: u64| format!(r#"{{"Size":10,"MaxInstances":{ceiling}}}"#);
    let surge = r#""Updating":{"MaxSurge":"15%"}"#;
    refused(&[
        (
            &with(9),
            r#""Updating":{}"#,
            "Allocation.MaxInstances: `9` is less than the 10 members of the group; expected at least 10",
        ),
        (
            &with(11),
            surge,
            "Allocation.MaxInstances: `11` is less than the 10 members of the group and the 2 that MaxSurge adds; expected at least 12",
        ),
        (
            r#"{"Size":0,"MaxInstances":0}"#,
            r#""Updating":{}"#,
            "Allocation.MaxInstances: `0` lets the group have nobody; expected at least 1",
        ),
        (
            r#"{"LogicalIDs":["a","b"],"MaxInstances":1}"#,
            r#""Updating":{}"#,
            "Allocation.MaxInstances: `1` is less than the 2 members of the group; expected at least 2",
        ),
        (
            r#"{"Size":1,"MaxInstances":"9"}"#,
            r#""Updating":{}"#,
            "Allocation.MaxInstances: expected a whole number from 1, found `\"9\"`",
        ),
    ]);
    assert!(parse(&with(12), &format!(",{surge}")).is_ok());
}

#[test]
fn batches_and_stages_that_do_not_grow() {
    refused(&[
        (
            TEN,
            r#""Updating":{"Batch":0}"#,
            "Updating.Batch: `0` never begins a replacement; expected a count like 1 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"Batch":"0%"}"#,
            "Updating.Batch: `0%` never begins a replacement; expected a count like 1 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":0}]}"#,
            "Updating.Stages[0].Until: `0` is a stage without a member; expected a count like 1 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":"5%"},{"Until":"5%"}]}"#,
            "Updating.Stages[1].Until: `5%` is no more than the stage before, `5%`; expected more, like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":3},{"Until":2}]}"#,
            "Updating.Stages[1].Until: `2` is no more than the stage before, `3`; expected more, like 4",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":1},{"Until":"5%"}]}"#,
            "Updating.Stages[1].Until: `5%` is no more than the stage before, `1`: of 10 members, that is 1 after 1; expected more, like 2",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":"50%"},{"Until":5}]}"#,
            "Updating.Stages[1].Until: `5` is no more than the stage before, `50%`: of 10 members, that is 5 after 5; expected more, like \"100%\"",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":"100%"},{"Until":5}]}"#,
            "Updating.Stages[0].Until: `100%` is the whole group, and a stage follows; expected less, like \"50%\", or no stage after it",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":10},{"Until":"100%"}]}"#,
            "Updating.Stages[0].Until: `10` is the whole group, and a stage follows; expected less, like \"50%\", or no stage after it",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Bake":"5m"}]}"#,
            "Updating.Stages[0].Until: is needed: a count like 2 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":1,"Bake":"-5m"}]}"#,
            "Updating.Stages[0].Bake: invalid duration `-5m`: it must not be negative, as in `30s`, `1m30s` or `250ms`",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":1,"Approve":"yes"}]}"#,
            "Updating.Stages[0].Approve: expected true or false, found `\"yes\"`",
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":1,"Aprove":true}]}"#,
            "Updating.Stages[0].Aprove: unknown field; did you mean `Approve`?",
        ),
        (
            TEN,
            r#""Updating":{"Stages":["5%"]}"#,
            "Updating.Stages[0]: expected an object, found a string",
        ),
        (
            TEN,
            r#""Updating":{"Stages":"5%"}"#,
            "Updating.Stages: expected a list, found `\"5%\"`",
        ),
    ]);
}

#[test]
fn windows_that_never_open() {
    let window = |fields: &str| format!(r#""Updating":{{"Windows":[{{{fields}}}]}}"#);
    for (fields, want) in [
        (
            r#""Cron":"0 22 * * *","Duration":"0s""#,
            "Duration: `0s` never opens; expected a duration like \"4h\"",
        ),
        (r#""Cron":"0 22 * * *""#, "Duration: is needed, like \"4h\""),
        (
            r#""Duration":"4h""#,
            "Cron: is needed, like \"0 22 * * 1-5\"",
        ),
        (
            r#""Cron":"0 0 30 2 *","Duration":"4h""#,
            "Cron: `0 0 30 2 *` names a day that no calendar has, so it never opens; expected one like \"0 22 * * 1-5\"",
        ),
        (
            r#""Cron":"0 0 31 4,6,9,nov *","Duration":"4h""#,
            "Cron: `0 0 31 4,6,9,nov *` names a day that no calendar has, so it never opens; expected one like \"0 22 * * 1-5\"",
        ),
        (
            r#""Cron":"0 22 * *","Duration":"4h""#,
            "Cron: expected five fields (minute, hour, day of the month, month, day of the week) like \"0 22 * * 1-5\", found `0 22 * *`",
        ),
        (
            r#""Cron":"60 22 * * *","Duration":"4h""#,
            "Cron: the minute is `60`; expected numbers from 0 to 59, like `*`, `0`, `0-59`, `*/2` or `0,59`",
        ),
        (
            r#""Cron":"0 22 * * mo-fr","Duration":"4h""#,
            "Cron: the day of the week is `mo-fr`; expected numbers from 0 to 7 or names from `sun` to `sat`, like `*`, `0`, `0-7`, `*/2` or `0,7`",
        ),
        (
            r#""Cron":"0 5-3 * * *","Duration":"4h""#,
            "Cron: the hour is `5-3`; expected numbers from 0 to 23, like `*`, `0`, `0-23`, `*/2` or `0,23`",
        ),
        (
            r#""Cron":"*/0 5 * * *","Duration":"4h""#,
            "Cron: the minute is `*/0`; expected numbers from 0 to 59, like `*`, `0`, `0-59`, `*/2` or `0,59`",
        ),
        (
            r#""Cron":"0 22 * * *","Duration":"4h","TimeZone":"Europe/Berln""#,
            "TimeZone: unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?",
        ),
        (
            r#""Cron":"0 22 * * *","Duration":"4h","TimeZone":"Mars""#,
            "TimeZone: unknown time zone `Mars`; expected one like \"Europe/Berlin\"",
        ),
        (
            r#""Cron":"0 22 * * *","Duration":"4h","TimeZone":"""#,
            "TimeZone: unknown time zone ``; expected one like \"Europe/Berlin\"",
        ),
        (
            r#""Cron":"0 22 * * *","Duration":"4h","Timezon":"UTC""#,
            "Timezon: unknown field; did you mean `TimeZone`?",
        ),
        (
            r#""Cron":22,"Duration":"4h""#,
            "Cron: expected a string like \"0 22 * * 1-5\", found `22`",
        ),
    ] {
        refused(&[(TEN, &window(fields), &format!("Updating.Windows[0].{want}"))]);
    }
}

#[test]
fn limits_that_contradict_each_other() {
    refused(&[
        (
            TEN,
            r#""Health":{"Threshold":0}"#,
            "Health.Threshold: expected a whole number from 1, found `0`",
        ),
        (
            TEN,
            r#""Health":{"Threshold":4,"Window":3}"#,
            "Health.Window: `3` checks can never contain the 4 failures of Health.Threshold; expected at least 4",
        ),
        (
            TEN,
            r#""Health":{"Window":2}"#,
            "Health.Window: `2` checks can never contain the 3 failures of Health.Threshold; expected at least 3",
        ),
        (
            TEN,
            r#""Health":{"Window":33}"#,
            "Health.Window: expected a whole number from Health.Threshold to 32, like 6, found `33`",
        ),
        (
            TEN,
            r#""Health":{"MaxUnhealthy":0}"#,
            "Health.MaxUnhealthy: `0` lets no sick member ever be replaced; expected a count like 1 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Health":{"MaxUnhealthy":"100%"}"#,
            "Health.MaxUnhealthy: `100%` never stops anything: all members may be destroyed for their health at once; expected less, like \"40%\"",
        ),
        (
            TEN,
            r#""Health":{"MaxUnhealthy":10}"#,
            "Health.MaxUnhealthy: `10` never stops anything: all 10 members may be destroyed for their health at once; expected at most 9, or a percentage like \"40%\"",
        ),
        (
            TEN,
            r#""Health":{"Repair":["reboot",""]}"#,
            "Health.Repair[1]: a step needs a name that the instance plugin knows, like \"reboot\"",
        ),
        (
            TEN,
            r#""Health":{"Repair":["reboot","x","reboot"]}"#,
            "Health.Repair[2]: `reboot` is listed twice; each step is tried once, as in [\"reboot\", \"reimage\"]",
        ),
        (
            TEN,
            r#""Health":{"Repair":"reboot"}"#,
            "Health.Repair: expected a list of strings, found `\"reboot\"`",
        ),
        (
            TEN,
            r#""Health":{"RepairWait":"0s"}"#,
            "Health.RepairWait: `0s` gives a step no time to help; expected a duration like \"5m\"",
        ),
        (
            TEN,
            r#""Health":{"GracePeriod":"-5s"}"#,
            "Health.GracePeriod: invalid duration `-5s`: it must not be negative, as in `30s`, `1m30s` or `250ms`",
        ),
        (
            TEN,
            r#""Updating":{"FailureThreshold":0}"#,
            "Updating.FailureThreshold: `0` lets a rollout fail before it begins; expected a count like 1 or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"FailureThreshold":11}"#,
            "Updating.FailureThreshold: `11` can never be reached by 10 members; expected at most 10, or a percentage like \"10%\"",
        ),
        (
            TEN,
            r#""Updating":{"ProgressDeadline":"0s"}"#,
            "Updating.ProgressDeadline: `0s` gives no time at all; expected a duration like \"10m\"",
        ),
        (
            TEN,
            r#""Updating":{"ProgressDeadline":"5m","Duration":"5m"}"#,
            "Updating.ProgressDeadline: `5m0s` can never be met: each new member must be healthy for 5m0s (Updating.Duration) first; expected more, like \"10m0s\"",
        ),
        (
            TEN,
            r#""Updating":{"OnFailure":"rolback"}"#,
            "Updating.OnFailure: expected \"pause\" or \"rollback\" or \"continue\", found `rolback`",
        ),
    ]);
}

#[test]
fn what_is_unusual_passes() {
    for (allocation, part) in [
        (r#"{"Size":1}"#, r#""Updating":{"MaxUnavailable":1}"#),
        (r#"{"Size":0}"#, r#""Updating":{"MaxUnavailable":3}"#),
        (
            r#"{"Size":0}"#,
            r#""Updating":{"MaxSurge":"10%","MaxUnavailable":"10%","Order":"destroy-first"}"#,
        ),
        (TEN, r#""Updating":{"MaxUnavailable":"3"}"#),
        (TEN, r#""Updating":{"MaxUnavailable":"99%","MaxSurge":20}"#),
        (TEN, r#""Updating":{"Batch":500}"#),
        // In a group of four both mean one member.
        (
            FOUR,
            r#""Updating":{"Stages":[{"Until":"5%"},{"Until":"10%"}]}"#,
        ),
        (
            r#"{"Size":1}"#,
            r#""Updating":{"Stages":[{"Until":1},{"Until":5},{"Until":"50%"}]}"#,
        ),
        (
            TEN,
            r#""Updating":{"Stages":[{"Until":1},{"Until":"100%","Approve":true}]}"#,
        ),
        (
            TEN,
            r#""Updating":{"Windows":[{"Cron":"0 0 * * *","Duration":"48h"}]}"#,
        ),
        (
            TEN,
            r#""Updating":{"Windows":[{"Cron":"30 2 29 FEB Sun","Duration":"1h","TimeZone":"europe/berlin"}]}"#,
        ),
        (
            TEN,
            r#""Updating":{"OnFailure":"continue","Windows":[],"Stages":[]}"#,
        ),
        (TEN, r#""Health":{"Threshold":50}"#),
        (TEN, r#""Health":{"Threshold":2,"Window":32}"#),
        (
            r#"{"Size":1}"#,
            r#""Health":{"MaxUnhealthy":1,"Repair":[]}"#,
        ),
        (PETS, r#""Updating":{"MaxSurge":0,"Order":"destroy-first"}"#),
    ] {
        if let Err(problem) = parse(allocation, &format!(",{part}")) {
            panic!("{allocation} {part}: {problem}");
        }
    }
}

#[test]
fn a_contradiction_is_no_reason_not_to_carry_on() {
    for text in [
        r#"{"Allocation":{"Size":2,"MaxInstances":1},"Updating":{"MaxUnavailable":5}}"#,
        r#"{"Allocation":{"Size":2},"Updating":{"Stages":[{"Until":5},{"Until":4}],"FailureThreshold":9}}"#,
        r#"{"Allocation":{"LogicalIDs":["a"]},"Updating":{"MaxSurge":1,"Order":"surge-first"}}"#,
        r#"{"Allocation":{"Size":2},"Health":{"MaxUnhealthy":7,"Window":2,"Threshold":3}}"#,
    ] {
        let any = Any::parse(text).unwrap();
        assert!(Spec::parse(Some(&any)).is_err(), "{text}");
        assert!(Spec::decode(Some(&any)).is_ok(), "{text}");
    }
}

//! The list of environment variables, for `infrakit help env`.

/// An environment variable.
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What holds when it is not set.
    pub(crate) default: &'static str,
    /// What it decides.
    pub(crate) purpose: &'static str,
}

macro_rules! variables {
    ($($name:literal, $default:literal, $purpose:literal;)*) => {
        /// Every environment variable that `infrakit` reads, sorted by what it is about.
        pub(crate) const VARIABLES: &[Variable] = &[
            $(Variable { name: $name, default: $default, purpose: $purpose }),*
        ];
    };
}

variables! {
    "INFRAKIT_HOME", "~/.infrakit", "where sockets, specs and other files live";
    "INFRAKIT_PLUGINS_DIR", "$INFRAKIT_HOME/plugins", "where the sockets of the plugins are";
    "INFRAKIT_HOST", "this machine", "name of the remote that commands go to";
    "INFRAKIT_HOSTS_FILE", "$INFRAKIT_HOME/hosts", "file with the remotes";
    "INFRAKIT_PLAYBOOKS_FILE", "$INFRAKIT_HOME/playbooks.yml", "file with the playbooks";
    "INFRAKIT_PLAYBOOKS_CACHE", "$INFRAKIT_HOME/playbook-cache", "copies of playbooks from elsewhere";
    "INFRAKIT_CALLABLE_WARNINGS", "false", "`true`: say what went wrong while the flags of a playbook were looked for";
    "INFRAKIT_CLIENT_TIMEOUT", "15s", "how long a call to a plugin may take";
    "INFRAKIT_DYNAMIC_CLI", "true", "`false`: plugins do not become commands";
    "INFRAKIT_GROUP_POLL_INTERVAL", "10s", "how often a group lists its instances, at least";
    "INFRAKIT_GROUP_MAX_PARALLEL_NUM", "0", "how many instances a group changes at a time; 0 is no limit";
    "INFRAKIT_GROUP_CREATES_PER_MINUTE", "0", "how many instances one plugin creates a minute, for all groups; 0 is no limit";
    "INFRAKIT_GROUP_DESTROYS_PER_MINUTE", "0", "how many instances one plugin destroys a minute, for all groups; 0 is no limit";
    "INFRAKIT_GROUP_MAX_INSTANCES", "0", "how many instances any one group may have; 0 is no limit";
    "INFRAKIT_GROUP_SELF_LOGICAL_ID", "none", "logical id of the machine that runs the group";
    "INFRAKIT_MANAGER_BACKEND", "file", "where the manager keeps specs and leadership";
    "INFRAKIT_STORE_DIR", "$INFRAKIT_HOME/configs", "where specs are stored";
    "INFRAKIT_INSTANCE_FILE_DIR", "the temporary directory", "where the file plugin writes its instances";
    "INFRAKIT_SIMULATOR_STORE", "mem", "`file`: simulated instances outlive the simulator";
    "INFRAKIT_SIMULATOR_DIR", "$INFRAKIT_HOME/simulator", "where the simulator stores its instances";
    "INFRAKIT_SIMULATOR_INSTANCE_TYPES", "compute,net,disk", "types of instances to simulate";
    "INFRAKIT_SIMULATOR_L4_NAMES", "lb1,lb2,lb3", "load balancers to simulate";
    "INFRAKIT_SIMULATOR_START_DELAY", "0s", "how long the simulator takes to start";
    "INFRAKIT_SIMULATOR_DESCRIBE_DELAY", "0s", "how long a simulated list takes";
    "INFRAKIT_SIMULATOR_PROVISION_DELAY", "0s", "how long a simulated creation takes";
    "HOME", "none", "home directory, for the default of INFRAKIT_HOME";
    "TMPDIR", "/tmp", "directory for temporary files";
    "NO_COLOR", "unset", "set to anything: no colour";
    "TERM", "unset", "`dumb`: no colour and no redrawing";
    "COMPLETE", "unset", "set by the shell while it completes a command";
}

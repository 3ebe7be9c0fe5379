"""The one table of diagnostic codes; `docs/error-codes.md` is generated from it.

A code names a kind of problem for ever. Families keep the seeds' numbers; a code is listed here
only when something in this repository can emit it, and a test holds that both ways.
"""

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DIAGNOSTICS", "Diagnostic", "explain"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What one code means and what the reader should do about it."""

    code: str
    title: str
    meaning: str
    fix: str


_ROWS = (
    # CAP: capabilities, plugins, bindings, calls
    Diagnostic(
        "CAP101",
        "binding missing",
        "A required capability has no binding, or several providers could serve it and none "
        "was named.",
        "Install a provider, or name one: connect(KeyValue, 'cloudflare-kv').",
    ),
    Diagnostic(
        "CAP102",
        "two distributions claim one name",
        "Two installed distributions register a capability plugin under the same name, so the "
        "name no longer says whose code runs.",
        "Uninstall one of the two distributions that the message names.",
    ),
    Diagnostic(
        "CAP103",
        "no such plugin or backend",
        "The name is not an installed plugin, or the plugin has no backend of that name, or it "
        "does not provide that capability.",
        "Run `flows-registry list` to see what is installed, with its backends.",
    ),
    Diagnostic(
        "CAP104",
        "backend not installed",
        "The backend exists but the extra that brings its dependencies is not installed.",
        "Run the `pip install` line that the message gives.",
    ),
    Diagnostic(
        "CAP105",
        "bad configuration",
        "A binding's configuration lacks a setting, or holds one of the wrong type or an "
        "unknown one.",
        "Correct the setting that the message names.",
    ),
    Diagnostic(
        "CAP106",
        "manifest invalid",
        "A capability.toml is missing, does not parse, or says something that the manifest's "
        "schema does not allow.",
        "Correct the line that the message names; `docs/manifest.md` lists every field.",
    ),
    Diagnostic(
        "CAP107",
        "not opened",
        "A connection was awaited, opened by `with` where `async with` opens it (or the other way "
        "round), or an operation was called on the connection itself. Nothing was sent.",
        "Write `async with connect(...) as client:`, or without an event loop "
        "`with core_caps.sync.connect(...) as client:`.",
    ),
    Diagnostic(
        "CAP110",
        "operation not declared",
        "Code reached for an operation whose hint it did not declare.",
        "Add the hint that the message names to the declaration, or do without the operation.",
    ),
    Diagnostic(
        "CAP120",
        "argument refused",
        "An argument breaks a documented limit of the service (size, length, range, format). "
        "Nothing was sent.",
        "Change the argument; the message gives the limit and where it is documented.",
    ),
    Diagnostic(
        "CAP121",
        "not authenticated",
        "The service does not accept the credential (401).",
        "Check the secret that the binding names; it may be missing, mistyped or expired.",
    ),
    Diagnostic(
        "CAP122",
        "permission denied",
        "The service knows the credential and refuses this operation (403).",
        "Grant the scope that the plugin's manifest lists for this operation.",
    ),
    Diagnostic(
        "CAP123",
        "container not found",
        "The namespace, bucket or account itself does not exist. An absent key is None, never "
        "an error.",
        "Check the binding's configuration against the vendor's dashboard.",
    ),
    Diagnostic(
        "CAP124",
        "conflict",
        "The service refused because of another operation in progress (409).",
        "Read the current state, then decide; a blind repeat may be refused again.",
    ),
    Diagnostic(
        "CAP125",
        "precondition failed",
        "A condition of the call (if_match, if_none_match) did not hold (412). Nothing was "
        "changed.",
        "Read the current etag and repeat with it, or accept the other writer's value.",
    ),
    Diagnostic(
        "CAP126",
        "rate limited",
        "The service asks to slow down (429). Nothing was changed.",
        "Wait retry_after_seconds, or wrap the provider in core_caps.retrying.",
    ),
    Diagnostic(
        "CAP127",
        "service unavailable",
        "The service failed (5xx) or could not be reached. The outcome says whether the call "
        "may have been applied.",
        "Repeat reads and idempotent writes through core_caps.retrying; check UNKNOWN outcomes "
        "before repeating anything else.",
    ),
    Diagnostic(
        "CAP128",
        "timed out",
        "No complete answer arrived within the deadline.",
        "Raise timeout_seconds or repeat; a write has outcome UNKNOWN until it is read back.",
    ),
    Diagnostic(
        "CAP129",
        "answer not understood",
        "The answer is truncated, has a wrong checksum or is not what the protocol allows. No "
        "part of it was accepted.",
        "Repeat a read; for a write read the state back first. If it persists, check the "
        "binding's base URL and report it to the plugin's author.",
    ),
    Diagnostic(
        "CAP130",
        "client closed",
        "The capability was used after its connection was closed. Nothing was sent.",
        "Keep the calls inside the `async with connect(...)` block.",
    ),
    Diagnostic(
        "CAP131",
        "object absent",
        "A stream was opened on, or a write is about, an object that does not exist. A read says "
        "None.",
        "Read it first where it may be absent.",
    ),
    Diagnostic(
        "CAP132",
        "lease expired",
        "A lease does not hold: its time ran out, it was settled before, or nobody gave it out. "
        "Somebody else may do, or have done, the work that it stood for.",
        "Count the work as repeated; ask for more time, or settle what is done at once.",
    ),
    Diagnostic(
        "CAP133",
        "payment declined",
        "Whoever was to pay, or their bank, said no. No money moved; the payment itself stays and "
        "can be made by another method.",
        "Ask for another payment method, under a key of its own: a repeat is answered the same.",
    ),
    Diagnostic(
        "CAP134",
        "signature invalid",
        "What came over the network was not signed by anybody who has the secret, or it was "
        "changed since.",
        "Pass the body byte for byte as it came, and the secret of this very endpoint; answer 400.",
    ),
    Diagnostic(
        "CAP135",
        "signature too old",
        "The signature is good and was made longer ago than is tolerated: somebody may be sending "
        "again what they once saw.",
        "Check this machine's clock; answer 400, and the service sends it again, newly signed.",
    ),
    # CONTRACT: a provider against its contract, on a healthy service and under faults
    Diagnostic(
        "CONTRACT001",
        "promise broken",
        "A case of the capability's contract suite found the provider doing something else.",
        "Read the named case: it says what is promised; correct the backend.",
    ),
    Diagnostic(
        "CONTRACT002",
        "operation fails on a healthy service",
        "An operation could not be used at all against a service without faults, so nothing can "
        "be learned about its faults.",
        "Make it work against the vendor's documented protocol first.",
    ),
    Diagnostic(
        "CONTRACT003",
        "nothing proven",
        "Cases did not meet the faults they were made for, or none ran. That is no pass.",
        "See what the finding names; an operation that sends no request cannot be tested so.",
    ),
    Diagnostic(
        "CONTRACT004",
        "suite failed",
        "The suite that a plugin brings for a capability of its own raised, hung or ended while it "
        "was asked, so nothing was proved.",
        "Mend the suite: its model refuses only by errors derived from ProviderError, and answers "
        "whatever its own generator asks.",
    ),
    Diagnostic(
        "CONTRACT010",
        "foreign error",
        "A failed call raised an error without an outcome, or took the process down.",
        "Map the vendor's error to a class of core_caps.errors in errors.py.",
    ),
    Diagnostic(
        "CONTRACT011",
        "wrong error for the status",
        "The error's class does not say what the status said, so a caller cannot react rightly.",
        "Map the status in errors.py as the finding says.",
    ),
    Diagnostic(
        "CONTRACT012",
        "failure taken for success",
        "A call that the service refused, or never served, returned as if all were well.",
        "Check status, content type and the whole answer before believing it.",
    ),
    Diagnostic(
        "CONTRACT013",
        "outcome not true",
        "The outcome that an error states is not what happened to the service.",
        "Set the outcome from what had been sent when the call failed.",
    ),
    Diagnostic(
        "CONTRACT014",
        "repeated by itself",
        "The provider sent a request again: against its retry_owner, without bound, after a "
        "refusal, or for a write that had been applied.",
        "Turn the client's own retries off; core_caps.retrying is the one retrier.",
    ),
    Diagnostic(
        "CONTRACT015",
        "no deadline",
        "A silent or dripping service holds a call for longer than the manifest promises.",
        "Bound the whole call, not only each read.",
    ),
    Diagnostic(
        "CONTRACT016",
        "damaged answer accepted",
        "A truncated, garbled or wrong answer came back as a value.",
        "Check length, framing and checksum before returning a value.",
    ),
    Diagnostic(
        "CONTRACT017",
        "Retry-After lost",
        "The wait that the service asks for does not reach the caller, or was not kept.",
        "Parse Retry-After as seconds or as a date, and pass it on.",
    ),
    Diagnostic(
        "CONTRACT018",
        "certificate not verified",
        "A request went to a server that could not prove its name.",
        "Leave TLS verification on.",
    ),
    Diagnostic(
        "CONTRACT019",
        "cancellation holds on",
        "A cancelled call keeps its connection, or ends too late.",
        "Close the socket when the task is cancelled.",
    ),
    Diagnostic(
        "CONTRACT020",
        "half-written",
        "A failed call left something behind that is neither the old state nor the new.",
        "Undo or finish what was begun before raising.",
    ),
    Diagnostic(
        "CONTRACT021",
        "broken afterwards",
        "After one failed call the same client fails on a healthy service.",
        "Drop the damaged connection instead of returning it to the pool.",
    ),
    Diagnostic(
        "EGRESS101",
        "egress not declared",
        "A connection or request went to a host and port that the manifest does not list, or a "
        "name was looked up that none of its hosts has.",
        "Declare the host under the backend's egress, or do not go there.",
    ),
    Diagnostic(
        "EGRESS102",
        "egress refused",
        "A request, or a redirect of one, would go to a host that the binding does not allow, to "
        "an address that is not public, or on without TLS. Nothing was sent there.",
        "Add the host to the setting that the message names, if the flow may go there.",
    ),
    Diagnostic(
        "EGRESS103",
        "egress declared and never reached",
        "A host that the manifest declares was reached in no case of any operation.",
        "Declare only what is connected to, or add an exercise that needs the host.",
    ),
    Diagnostic(
        "EGRESS104",
        "egress too wide",
        "An entry of the egress, or the default of a setting that it is made of, stands for "
        "any number of hosts.",
        "Name every host, or let a setting without a default name them.",
    ),
    Diagnostic(
        "EGRESS105",
        "redirect followed off its hosts",
        "A request was redirected to a host that the manifest does not declare, and the "
        "plugin went there.",
        "Follow no redirect to another host.",
    ),
    Diagnostic(
        "SECR101",
        "secret shown",
        "A credential that the plugin was given appears in an error, a log, a URL, a result, a "
        "repr, a file or what is printed; as it is, in part, or in another form.",
        "Keep it in core_caps.secret.Secret and reveal it only where it is sent.",
    ),
    Diagnostic(
        "SECR102",
        "personal data shown",
        "Content that a caller gave appears in an error, a log, a URL or what is printed.",
        "Say which key or field is wrong, never what it holds.",
    ),
    # EFFECT / DET: claims against the lattices
    Diagnostic(
        "EFFECT201",
        "declared effects too small",
        "The declared effects are below what the hints require or what was derived from the "
        "code, the wire or the service's state.",
        "Declare the larger effect (the message names the hint), or remove the effect.",
    ),
    Diagnostic(
        "EFFECT202",
        "unknown hint",
        "A hint is not in the vocabulary and no loaded manifest declares its family. An unknown "
        "hint is an error, never 'unconstrained'.",
        "Correct the spelling, or declare the family with its floors in the manifest.",
    ),
    Diagnostic(
        "EFFECT203",
        "touches the machine",
        "An operation started a process or wrote a file. An operation reaches its service and "
        "nothing else of the machine.",
        "Keep the work inside the process, or use a capability made for files.",
    ),
    Diagnostic(
        "EFFECT204",
        "effect declared and never seen",
        "The cases of an operation reached success without the effect that it declares: either "
        "the declaration is too cautious, or the operation does nothing.",
        "Declare the smaller effect, or make the operation do what it says.",
    ),
    Diagnostic(
        "EFFECT205",
        "effects not proven",
        "An operation was never seen at work, or no case took the way on which it would do what "
        "it declares, nobody could read back what a mock did in it, or nobody used the credential "
        "that it hands out, so nothing can be said of what it does. No pass.",
        "Add exercises for it to the contract's suite, and let the suite's `read_back` give the "
        "calls that show what such a call left; an operation that only reads needs it, too. Where "
        "it hands out a URL, give an exercise a `Grant`.",
    ),
    Diagnostic(
        "EFFECT206",
        "a URL grants something else",
        "A URL that an operation hands out was used: it does not do what is delegated, it leads "
        "elsewhere than to a declared host over TLS, or it does more, with another method, for "
        "another object, or after its time.",
        "Sign the method, the key and the expiry that the caller asked for, for a declared host.",
    ),
    Diagnostic(
        "DET301",
        "depends on its surroundings",
        "With the service standing still, the same call gave other bytes when the hash seed, the "
        "clock, randomness, the environment or the order of events differed.",
        "Remove the dependency that the finding names, or claim nondeterministic.",
    ),
    Diagnostic(
        "DET302",
        "determinism claim too strong",
        "The claimed determinism is stronger than a hint's floor allows.",
        "Claim the floor that the message names, or use the pinned form of the read.",
    ),
    # INJECT: histories as a network makes them, against the contract's model
    Diagnostic(
        "INJECT001",
        "history did not end",
        "A seeded history of calls could not be run to its end.",
        "See the error that the finding names.",
    ),
    Diagnostic(
        "INJECT003",
        "service ended wrong",
        "After duplicates, lost answers or concurrent calls the service holds something else "
        "than a perfect service would.",
        "Make the repeated call converge: the same call twice leaves what one leaves.",
    ),
    Diagnostic(
        "INJECT004",
        "answer wrong",
        "A call in a seeded history answered something else than a perfect service would.",
        "Reproduce the history; the finding shows the calls that led there.",
    ),
    Diagnostic(
        "INJECT005",
        "no order explains it",
        "Calls made at once gave answers that no order of them explains: a check and an act that "
        "others can come between, or state shared between calls.",
        "Send the condition with the write and let the service decide.",
    ),
    Diagnostic(
        "INJECT006",
        "half done where a client died",
        "A client died in a write, after a request that it had made and before its answer. Another "
        "client found a half of the write, or made it again and found it twice.",
        "Let one request do it all, or the last one make it visible; send a key with each.",
    ),
    # LAB: what the lab itself can say
    Diagnostic(
        "LAB001",
        "plugin not usable in its own environment",
        "The wheel with its own dependencies, and nothing else, cannot be imported.",
        "Declare what it imports among its dependencies or the backend's extra.",
    ),
    Diagnostic(
        "LAB002",
        "wire unknown",
        "No reference server speaks the protocol that the backend names, so it was not run.",
        "Use a known wire, or bring a reference server for it: `reference` beside `wire`.",
    ),
    Diagnostic(
        "LAB003",
        "lab failed",
        "The lab itself failed, so nothing was proved about the plugin.",
        "Run it again; `flows-registry doctor` tells what this machine lacks.",
    ),
    Diagnostic(
        "LAB004",
        "reference failed",
        "The reference server of the backend's wire raised, hung or ended while it answered, so "
        "nothing was proved about the plugin.",
        "Mend the reference that the manifest names: what it does not know is a 4xx, never an "
        "exception.",
    ),
    Diagnostic(
        "LAB005",
        "plugin does not let itself be tried",
        "The plugin ends or stops the process that runs its cases, speaks in its name, or takes "
        "more of the machine than a client of a service can need.",
        "Leave the process, its signals and its open files to whoever runs it, and start no more "
        "than an operation needs.",
    ),
    Diagnostic(
        "LAB010",
        "evidence not usable",
        "The folder or file holds no evidence, or evidence that is damaged, changed, or of another "
        "shape; or something else is where evidence is to be written.",
        "Certify again, with `--evidence` naming a new folder or an empty one.",
    ),
    Diagnostic(
        "LAB011",
        "no such case",
        "The evidence holds no case of the name that was to run again.",
        "Take a name from the report or from cases.jsonl; the message says which come near.",
    ),
    Diagnostic(
        "LAB020",
        "account not usable",
        "The cases were to run on the user's own account, and a setting or a secret is missing, or "
        "nobody could tell afterwards what the cases left there.",
        "Set the environment variables that the manifest names, and name the backend.",
    ),
    Diagnostic(
        "LAB021",
        "account not empty",
        "Something is on the account that no case has left, or nobody can list what is there. "
        "Nothing was touched that is not ours.",
        "Give an empty namespace, bucket or database that was made for this.",
    ),
    Diagnostic(
        "LAB022",
        "account asks to wait",
        "The service asked to be called less often, or took too long, so not every case ran.",
        "Run it again later; what the last case left may still be there.",
    ),
    # IDEM: idempotency keys
    Diagnostic(
        "IDEM020",
        "effectful operation without a key",
        "A write does not converge by nature and takes neither an idempotency key nor a "
        "precondition, so a retry after a lost answer does it again.",
        "Name the keyword argument that takes the key: `@operation(…, repeat=Repeat.KEYED, "
        'key="idempotency_key")`; or make the write converge and declare it safe.',
    ),
    Diagnostic(
        "IDEM021",
        "key not on the wire",
        "A write took an idempotency key, and an attempt reached the service without it.",
        "Send the key with every attempt, as it is or in hexadecimal or base64, wherever the "
        "service takes it.",
    ),
    Diagnostic(
        "IDEM025",
        "no canonical form",
        "A value in an idempotency key has no single canonical encoding (NaN, a set, an object, "
        "a non-text map key, a duplicate key after normalisation).",
        "Build the key from None, booleans, integers, floats, text, bytes, lists and text-keyed "
        "maps.",
    ),
    # PACKAGE: what a plugin's source, wheel and environment must be like
    Diagnostic(
        "PACKAGE001",
        "no plugin at this path",
        "The path does not exist, is a file, or holds no pyproject.toml.",
        "Give the folder that holds the plugin's pyproject.toml; `flows-registry new cap-NAME` "
        "makes one.",
    ),
    Diagnostic(
        "PACKAGE002",
        "source cannot be copied",
        "A file of the source tree is a link that leaves the tree, or a device, or the tree is "
        "larger than any plugin.",
        "Replace links by the files themselves and ignore data in .gitignore.",
    ),
    Diagnostic(
        "PACKAGE003",
        "build failed",
        "The plugin's own build backend made no wheel and source distribution, or did not end in "
        "time. The build has no network and no secrets.",
        "Run `uv build` in the plugin's folder and correct what it shows.",
    ),
    Diagnostic(
        "PACKAGE004",
        "build not reproducible",
        "Two builds of the same source, in other folders, under another mask, zone, date and hash "
        "seed, gave different bytes.",
        "Write no times, paths, random values or unordered sets into built files; use "
        "SOURCE_DATE_EPOCH where a time is needed.",
    ),
    Diagnostic(
        "PACKAGE005",
        "build writes outside",
        "The build wrote to a place that is not its own folder, its output or its temporary "
        "folder.",
        "Let the build write only below the folder it runs in.",
    ),
    Diagnostic(
        "PACKAGE006",
        "wheel inconsistent",
        "The wheel is not a sound archive: RECORD, hashes, names or metadata do not agree.",
        "Build it with an unmodified build backend and do not edit it afterwards.",
    ),
    Diagnostic(
        "PACKAGE007",
        "wheel carries what it may not",
        "The wheel holds files outside of the plugin's own package, code that runs at every "
        "start of Python, tests, or compiled code without its source.",
        "Ship the package alone: [tool.hatch.build.targets.wheel] packages.",
    ),
    Diagnostic(
        "PACKAGE008",
        "metadata incomplete",
        "The licence, the supported Python versions or the py.typed marker is missing.",
        "State `license` and `requires-python` in pyproject.toml and ship an empty py.typed.",
    ),
    Diagnostic(
        "PACKAGE009",
        "dependency not to be had",
        "A dependency is no requirement, or names a URL, which no index accepts.",
        "Require a released version: httpx>=0.28.",
    ),
    Diagnostic(
        "PACKAGE010",
        "manifest misplaced",
        "The wheel holds no capability.toml in the package of its entry point, or several.",
        "Keep one capability.toml beside the package's __init__.py and build it into the wheel.",
    ),
    Diagnostic(
        "PACKAGE011",
        "entry point wrong",
        "The group flows.capabilities lacks the plugin, has it under another name than the "
        "manifest, or names a module that is not there.",
        'Write `NAME = "cap_name.plugin"` with the manifest\'s name under '
        '[project.entry-points."flows.capabilities"].',
    ),
    Diagnostic(
        "PACKAGE012",
        "does not import",
        "The plugin's module or a backend's class cannot be imported in an environment that holds "
        "the plugin and what it requires.",
        "Correct the lazy name in capability.toml or the error that the import shows.",
    ),
    Diagnostic(
        "PACKAGE013",
        "dependency not declared",
        "Code imports a package that neither the plugin's dependencies nor the backend's extra "
        "bring.",
        "Add the package to the dependencies, or to the extra that the backend names.",
    ),
    Diagnostic(
        "PACKAGE014",
        "environment cannot be made",
        "What the plugin requires cannot be resolved, fetched or installed here, or something "
        "else got in.",
        "Correct the requirements; when offline, run once with the package index in reach.",
    ),
    Diagnostic(
        "PACKAGE015",
        "name refused",
        "A new plugin's name is not usable, or is already taken.",
        "Use cap- followed by lower-case letters, digits and single dashes, such as cap-acme-kv.",
    ),
    Diagnostic(
        "PACKAGE016",
        "no folder for a new plugin",
        "Where a new plugin should go no folder can be made: a file stands there, or the folder "
        "may not be written to.",
        "Name a folder that you may write to: `flows-registry new cap-NAME --into DIR`.",
    ),
    Diagnostic(
        "IDEM026",
        "field does not fit the key's schema",
        "A field of an idempotency key is missing, unexpected, or of another type than its schema "
        "says. 1, 1.0 and '1' make three different keys, and so the work is done three times.",
        "Convert the field that the message names before the key is made, or correct the schema.",
    ),
    Diagnostic(
        "IDEM099",
        "key collision",
        "An idempotency key was seen before with another payload, so one key stands for two pieces "
        "of work. Nothing was changed, and no result can be given.",
        "Stop, and find who makes the keys: a field that tells the two apart is missing from the "
        "key, or changed after the key was made.",
    ),
    # POLICY: what an organisation asks
    Diagnostic(
        "POLICY001",
        "policy invalid",
        "The policy file cannot be read, is not TOML, or says what no policy may say: a waiver "
        "without reason, owner or end, or one that holds too long, among others.",
        "Correct the lines that the message names; `docs/policy.md` lists every field.",
    ),
    Diagnostic(
        "POLICY101",
        "looked at from too far away",
        "The policy asks for a level that the certification did not reach.",
        "Certify on a machine with network namespaces (`flows-registry doctor` tells what lacks), "
        "and mend what keeps a check at a lower level.",
    ),
    Diagnostic(
        "POLICY102",
        "egress not allowed",
        "The plugin declares, or goes to, a host that the policy lets nobody go to.",
        "Do not go there, or let whoever keeps the policy allow the host.",
    ),
    Diagnostic(
        "POLICY103",
        "scope not allowed",
        "The plugin declares a permission that the policy lets no plugin have.",
        "Do without it, or let whoever keeps the policy allow it.",
    ),
    Diagnostic(
        "POLICY104",
        "residency not allowed",
        "The data lies where the policy lets no data lie.",
        "Use another plugin, or let whoever keeps the policy allow the region.",
    ),
    Diagnostic(
        "POLICY105",
        "data class not allowed",
        "The plugin holds a class of data that the policy lets no plugin hold.",
        "Use another plugin, or let whoever keeps the policy allow the class.",
    ),
    Diagnostic(
        "POLICY106",
        "waiver expired",
        "A finding is still there although the time is over for which somebody answered for it.",
        "Mend what it waived, or let its owner renew the waiver with a new date.",
    ),
    Diagnostic(
        "POLICY107",
        "waiver unused",
        "A waiver covers nothing that was found: what it was made for is mended, or it is not "
        "where it was thought to be.",
        "Remove it from the policy, or correct its check, code, backend or case.",
    ),
    Diagnostic(
        "POLICY108",
        "scope wider than needed",
        "A declared permission is needed by no request of any operation, or a lesser one "
        "would do for all that it is needed for.",
        "Declare the least that the finding names.",
    ),
    Diagnostic(
        "POLICY109",
        "scope missing",
        "A request needs a permission that the manifest does not declare, so the plugin does "
        "not work with the credential that it asks for.",
        "Declare the permission that the finding names.",
    ),
    Diagnostic(
        "POLICY110",
        "scopes not proven",
        "The reference server of the wire does not tell which permissions requests need, so "
        "nobody can say whether those that are declared are the least.",
        "Give the reference the method `scopes`, from the vendor's documents.",
    ),
    Diagnostic(
        "POLICY111",
        "data class missing",
        "Operations carry content of their users, and the manifest does not say of what kind "
        "it is.",
        'Declare it: [data] classes = ["user_content"].',
    ),
    Diagnostic(
        "POLICY112",
        "residency missing",
        "A backend sends data to a service, and the manifest does not say where that keeps it.",
        "Declare the regions, `global`, or `deployment` where a setting decides.",
    ),
    Diagnostic(
        "POLICY113",
        "nothing to judge",
        "No operation was seen at work, so what the plugin needs is not known.",
        "Make the operations work on a healthy service first.",
    ),
    # BUDGET: what calls cost
    Diagnostic(
        "BUDGET101",
        "costs more than estimated",
        "A healthy call took more than the manifest's [costs] say that a call takes.",
        "Do it with less, or estimate what it takes.",
    ),
    Diagnostic(
        "BUDGET102",
        "over the ceiling",
        "A call, healthy or under a fault, took more than the policy lets it: requests, "
        "bytes, waits, the processor's time, memory, or requests under a fault for each "
        "healthy one.",
        "Bound what is repeated and what is waited for, or let whoever keeps the policy raise "
        "the ceiling.",
    ),
    Diagnostic(
        "BUDGET103",
        "memory grows with the stream",
        "An operation that streams holds the more memory the more is streamed, so a large "
        "object ends the process.",
        "Pass each chunk on before the next one is read, and keep none.",
    ),
    Diagnostic(
        "BUDGET104",
        "no estimate",
        "The manifest does not say what a call of these operations costs.",
        "Add [costs.OPERATION] requests = N for each operation.",
    ),
    Diagnostic(
        "BUDGET105",
        "nothing measured",
        "No operation was seen at work, so what calls cost is not known.",
        "Make the operations work on a healthy service first.",
    ),
    # PARITY: the plugin against the vendor's simulator
    Diagnostic(
        "PARITY001",
        "drifts from the vendor's simulator",
        "The same calls on an empty service were answered differently by the plugin and by what "
        "it is compared with, and no known divergence explains it.",
        "Run the calls that the finding shows and let the plugin answer as promised; where the "
        "vendor's document says otherwise, report it with its address: the document wins.",
    ),
    Diagnostic(
        "PARITY002",
        "expired divergence",
        "Only a row of the table of known simulator divergences explains a difference, and the "
        "row has expired, so nobody knows whether it is still true.",
        "Look at the simulator and the vendor's document again, then renew the row or remove it.",
    ),
    Diagnostic(
        "PARITY003",
        "not compared",
        "There was nothing to compare with: the simulator is not on this machine, or an operation "
        "was never reached.",
        "Do what the finding says: fetch the simulator, install Node.js, or give the operation an "
        "exercise.",
    ),
)

DIAGNOSTICS = MappingProxyType({row.code: row for row in _ROWS})


def explain(code: str) -> Diagnostic | None:
    """The row for `code` in any letter case, or None when no such code exists."""
    return DIAGNOSTICS.get(code.strip().upper())

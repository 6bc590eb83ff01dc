//! `assize diff` on what lies in `reports/`.

use crate::stub::{Bench, Ran};

fn recorded(name: &str) -> String {
    format!("{}/reports/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn diff(arguments: &[&str]) -> Ran {
    let mut all = vec!["diff"];
    all.extend(arguments);
    Bench::new("cases: []\n").assize(&all)
}

fn valid(out: &str) -> serde_json::Value {
    let document: serde_json::Value = serde_json::from_str(out).unwrap();
    let validator = jsonschema::validator_for(&assize::compare::schema()).unwrap();
    let problems: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    document
}

#[test]
fn two_runs() {
    let plain = recorded("redfish/2026.11/openstack/sushy-tools/2.2.0-plain");
    let tls = recorded("redfish/2026.11/openstack/sushy-tools/2.2.0-tls");
    let better = diff(&[&plain, &tls, "--fail-on", "regressions"]).expect(0);
    let better = better.prints(&[
        "Redfish Secure Access: not-conformant (17.6 %) → not-conformant (31.3 %)",
        "fixed     redfish.security.basic-auth [access-basic]: gap → pass",
    ]);
    better.says(&["10 fixed, 7 changed, 366 as before"]);
    let worse = diff(&[&tls, &plain, "--fail-on", "regressions"]).expect(1);
    worse.prints(&["broken    redfish.security.basic-auth"]).says(&["10 broken"]);
    diff(&[&tls, &plain]).expect(0);
    let found = valid(&diff(&[&plain, &tls, "--json"]).expect(0).out);
    assert_eq!((found["cases"].as_array().unwrap().len(), found["unchanged"].as_u64()), (17, Some(366)));
    diff(&[&plain, &tls, "--markdown"]).expect(0).prints(&["| fixed | `redfish.security.basic-auth` | gap | pass |"]);
    let other = recorded("openstack/2026.11/openstack/loopback-lab/2026.2");
    diff(&[&plain, &other]).expect(0).prints(&["not comparable one to one: family: redfish before, openstack after"]);
}

#[test]
fn a_run_under_the_next_guideline() {
    let run = recorded("openstack/2026.11/openstack/loopback-lab/2026.2");
    let ran = diff(&[&run, "--guideline", "openstack/2020.06", "--against", "next"]).expect(0);
    ran.prints(&[
        "openstack/2020.06 → openstack/2022.11",
        "OpenStack Powered Platform: keep 73, lose 0, gain 8 that pass already, 1 untested, 5 no longer required",
        "conformant (100.0 %) → unproven (98.7 %)",
        "untested  identity-v3-user-password: tempest.",
        "dropped   compute-servers-metadata-get (",
    ])
    .says(&["assize run TARGET --guideline openstack/2022.11 --required"]);
    let found = valid(&diff(&[&run, "-g", "openstack/2020.06", "--against", "next", "--json"]).expect(0).out);
    let platform = &found["programs"][0];
    let count =
        |kind: &str| platform["capabilities"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).count();
    assert_eq!((count("keep"), count("gain"), count("untested"), count("lose"), count("dropped")), (73, 8, 1, 0, 5));
    diff(&[&run, "--against", "openstack/2020.06", "--markdown"])
        .expect(0)
        .prints(&["| gain | compute-servers-resize |"]);
    diff(&[&run, "--against", "next"])
        .expect(3)
        .says(&["no guideline is known that follows openstack/2026.11", "--against"]);
    diff(&[&run, "openstack/2020.06"]).expect(0).prints(&["openstack/2026.11 → openstack/2020.06", "keep 67"]);
    diff(&[&run]).expect(2).says(&["nothing to compare with", "--against"]);
}

#[test]
fn two_guidelines() {
    diff(&["openstack/2020.06", "openstack/2022.11"]).expect(0).prints(&["openstack/2020.06 → openstack/2022.11"]);
}

#[test]
fn the_products_of_a_ledger() {
    let ledger = recorded("");
    diff(&[&ledger]).expect(2).says(&["several guidelines", "kubernetes/v1.36, openstack/2026.11, redfish/2026.11"]);
    let all = diff(&[&ledger, "-g", "kubernetes/v1.36"]).expect(0);
    all.prints(&[
        "kubernetes/v1.36: 2 products, each by its latest report that counts",
        "50.0 %    1 of 2    required   openapi-v3",
    ]);
    let one = diff(&[&ledger, "-g", "kubernetes/v1.36", "--capability", "openapi-v3"]).expect(0);
    one.prints(&[
        "passes: kubernetes/api-server 1.36.2",
        "lacks it: kubernetes/loopback-lab 1.20.2",
        "would break if it became required: kubernetes/loopback-lab 1.20.2",
    ]);
    let wrong = diff(&[&ledger, "-g", "kubernetes/v1.36", "--capability", "openapi-v4"]).expect(3);
    wrong.says(&["did you mean `openapi-v2`", "no capability `openapi-v4`"]);
    valid(&diff(&[&ledger, "-g", "redfish/2026.11", "--json"]).expect(0).out);
    diff(&[&ledger, "-g", "redfish/2025.11"]).expect(3).says(&["no report against"]);
}

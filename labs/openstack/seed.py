"""Makes what the lab needs, through its APIs. May be repeated. Called by `up`.

    identity   projects, users, roles, catalogue, clouds.yaml (the identity service must run)
    workers    waits until the workers of compute and block storage report in
    resources  flavors, images, volume type, networks
"""
import io
import os
import pathlib
import sys
import time

import openstack
import yaml

HOST = "127.0.0.1"
LAB_DIR = pathlib.Path(os.environ["LAB_DIR"])
SERVICES = os.environ["LAB_SERVICES"].split()
PASSWORD = pathlib.Path(os.environ["LAB_PASSWORD_FILE"]).read_text(encoding="utf-8").strip()
OFFSET = int(os.environ["LAB_PORT_OFFSET"])


def url(port, path=""):
    return f"http://{HOST}:{port + OFFSET}{path}"


IDENTITY = url(5000, "/v3")
CATALOGUE = {  # service: (type, url)
    "glance": [("image", url(9292))],
    "placement": [("placement", url(8778))],
    "nova": [("compute", url(8774, "/v2.1"))],
    "neutron": [("network", url(9696))],
    "cinder": [("block-storage", url(8776, "/v3")), ("volumev3", url(8776, "/v3"))],
    "swift": [("object-store", url(8080, "/v1/AUTH_%(project_id)s"))],
    "heat": [("orchestration", url(8004, "/v1/%(project_id)s"))],
}


def cloud(user, project):
    return {
        "auth": {
            "auth_url": IDENTITY,
            "username": user,
            "password": PASSWORD,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": "RegionOne",
        "identity_api_version": "3",
        "interface": "public",
    }


CLOUDS = {
    "lab": cloud("demo", "demo"),
    "lab-alt": cloud("alt_demo", "alt_demo"),
    "lab-reseller": cloud("reseller", "alt_demo"),
    "lab-admin": cloud("admin", "admin"),
}


def connect(name):
    return openstack.connect(load_yaml_config=False, load_envvars=False, **CLOUDS[name])


def one(found, create):
    return next(iter(found), None) or create()


def identity():
    keystone = connect("lab-admin").identity
    roles = {role.name: role for role in keystone.roles()}
    for name in ("service", "member", "SwiftOperator", "ResellerAdmin", "heat_stack_owner", "heat_stack_user"):
        if name not in roles:
            roles[name] = keystone.create_role(name=name)
    projects = {project.name: project for project in keystone.projects(domain_id="default")}
    for name in ("service", "demo", "alt_demo"):
        if name not in projects:
            projects[name] = keystone.create_project(name=name, domain_id="default")
    users = {user.name: user for user in keystone.users(domain_id="default")}

    def user(name, project, *granted):
        if name in users:
            return
        of = projects[project].id
        users[name] = keystone.create_user(name=name, domain_id="default", password=PASSWORD, default_project_id=of)
        for role in granted:
            keystone.assign_project_role_to_user(of, users[name].id, roles[role].id)

    for service in SERVICES:
        if service != "keystone":
            user(service, "service", "admin", "service")
    user("demo", "demo", "member", "heat_stack_owner")
    user("alt_demo", "alt_demo", "member", "heat_stack_owner")
    # May set quotas in the object store, and nothing else that is not a user's.
    user("reseller", "alt_demo", "ResellerAdmin")
    if "heat" in SERVICES and not list(keystone.domains(name="heat")):
        domain = keystone.create_domain(name="heat")
        admin = keystone.create_user(name="heat_domain_admin", domain_id=domain.id, password=PASSWORD)
        keystone.assign_domain_role_to_user(domain.id, admin.id, roles["admin"].id)
    known = {service.type for service in keystone.services()}
    for name in SERVICES:
        for kind, endpoint in CATALOGUE.get(name, []):
            if kind in known:
                continue
            service = keystone.create_service(name=name, type=kind)
            for interface in ("public", "internal", "admin"):
                keystone.create_endpoint(
                    service_id=service.id, interface=interface, url=endpoint, region_id="RegionOne"
                )
    with open(LAB_DIR / "clouds.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump({"clouds": CLOUDS}, file, sort_keys=False)


def workers():
    admin = connect("lab-admin")
    wanted = set()
    if "nova" in SERVICES:
        wanted |= {"nova-conductor", "nova-scheduler", "nova-compute"}
    if "cinder" in SERVICES:
        wanted |= {"cinder-scheduler", "cinder-volume"}
    end = time.monotonic() + 180
    while True:
        up, problem = set(), ""
        try:
            if "nova" in SERVICES:
                up |= {service.binary for service in admin.compute.services() if service.state == "up"}
            if "cinder" in SERVICES:
                up |= {service.binary for service in admin.block_storage.services() if service.state == "up"}
        except Exception as error:  # an API that is not warm yet
            problem = str(error)
        if wanted <= up:
            return
        if time.monotonic() > end:
            sys.exit(f"error: not up after 180 s: {', '.join(sorted(wanted - up))} {problem}")
        time.sleep(1)


def flavors(admin):
    known = {flavor.name for flavor in admin.compute.flavors()}
    for ident, (name, ram, disk) in enumerate([("m1.nano", 64, 1), ("m1.micro", 128, 1), ("m1.small", 2048, 10)], 1):
        if name not in known:
            admin.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=disk, id=str(ident))


def images(admin):
    for name in ("lab-image", "lab-image-alt"):
        known = list(admin.image.images(name=name))
        for image in known:  # left by an upload that was cut off
            if image.status != "active":
                admin.image.delete_image(image)
        if not any(image.status == "active" for image in known):
            admin.image.create_image(
                name=name,
                disk_format="raw",
                container_format="bare",
                visibility="public",
                data=io.BytesIO(os.urandom(65536)),
                validate_checksum=False,
            )


def networks(admin, demo):
    public = one(
        admin.network.networks(name="public"),
        lambda: admin.network.create_network(
            name="public",
            is_router_external=True,
            shared=False,
            provider_network_type="flat",
            provider_physical_network="public",
        ),
    )
    one(
        admin.network.subnets(name="public-subnet"),
        lambda: admin.network.create_subnet(
            name="public-subnet", network_id=public.id, ip_version=4, cidr="198.18.0.0/20", enable_dhcp=False
        ),
    )
    private = one(demo.network.networks(name="private"), lambda: demo.network.create_network(name="private"))
    subnet = one(
        demo.network.subnets(name="private-subnet"),
        lambda: demo.network.create_subnet(
            name="private-subnet",
            network_id=private.id,
            ip_version=4,
            cidr="10.10.0.0/24",
            dns_nameservers=["192.0.2.53"],
        ),
    )

    def router():
        made = demo.network.create_router(name="router", external_gateway_info={"network_id": public.id})
        demo.network.add_interface_to_router(made, subnet_id=subnet.id)
        return made

    one(demo.network.routers(name="router"), router)


def resources():
    admin, demo = connect("lab-admin"), connect("lab")
    if "nova" in SERVICES:
        flavors(admin)
    if "glance" in SERVICES:
        images(admin)
    if "cinder" in SERVICES and not any(kind.name == "lab" for kind in admin.block_storage.types()):
        admin.block_storage.create_type(name="lab", extra_specs={"volume_backend_name": "lab"})
    if "neutron" in SERVICES:
        networks(admin, demo)


{"identity": identity, "workers": workers, "resources": resources}[sys.argv[1]]()

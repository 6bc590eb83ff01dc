"""What clouds have, as sorted JSON. Called by `snapshot`."""
import json
import sys

import openstack


def ids(found):
    return sorted(item.id for item in found)


def kinds(cloud):
    """A function for each kind of resource; those of one's own project, or of oneself where it is the user's."""
    project, user = cloud.current_project_id, cloud.current_user_id
    network, storage, image = cloud.network, cloud.block_storage, cloud.image
    own = {"project_id": project}
    return {
        "network": {
            "networks": lambda: ids(network.networks(**own)),
            "subnets": lambda: ids(network.subnets(**own)),
            "ports": lambda: ids(network.ports(**own)),
            "routers": lambda: ids(network.routers(**own)),
            "floating_ips": lambda: ids(network.ips(**own)),
            "security_groups": lambda: ids(network.security_groups(**own)),
            "security_group_rules": lambda: ids(network.security_group_rules(**own)),
            "subnet_pools": lambda: ids(network.subnet_pools(**own)),
        },
        "compute": {
            "servers": lambda: ids(cloud.compute.servers()),
            "keypairs": lambda: sorted(pair.name for pair in cloud.compute.keypairs()),
            "server_groups": lambda: ids(cloud.compute.server_groups()),
        },
        "block-storage": {
            "volumes": lambda: ids(storage.volumes()),
            "snapshots": lambda: ids(storage.snapshots()),
            "transfers": lambda: ids(storage.transfers()),
        },
        "image": {"images": lambda: ids(image.images(owner=project))},
        "object-store": {"objects": lambda: objects(cloud)},
        "orchestration": {"stacks": lambda: sorted(stack.id for stack in cloud.orchestration.stacks())},
        "identity": {"application_credentials": lambda: ids(cloud.identity.application_credentials(user=user))},
    }


def objects(cloud):
    """Containers, what is in them, and what is set on the account."""
    store = cloud.object_store
    found = []
    for container in store.containers():
        found.append(f"{container.name}/")
        found += [f"{container.name}/{item.name}" for item in store.objects(container.name)]
    account = store.head("").headers
    found += [f"{name.lower()}: {value}" for name, value in account.items() if name.lower().startswith("x-account-meta-")]
    return sorted(found)


def snapshot(name):
    cloud = openstack.connect(cloud=name)
    seen = {}
    for service, functions in kinds(cloud).items():
        offered = service == "identity" or cloud.config.get_endpoint_from_catalog(service) is not None
        for kind, function in functions.items() if offered else ():
            found = function()
            seen[kind] = {"count": len(found), "ids": found}
    return seen


json.dump({name: snapshot(name) for name in sys.argv[1:]}, sys.stdout, indent=1, sort_keys=True)
print()

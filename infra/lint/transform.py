"""Prints the CloudFormation that AWS makes of a SAM template, without AWS: checkov sees roles, mappings and URLs in it.

Usage: transform.py template.yaml
"""

import json
import pathlib
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """Our roles name no AWS managed policy, so there is none to look up."""

    def load(self) -> dict:
        return {}


def main() -> None:
    template = yaml_parse(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # A packaged template has the uploaded archive here.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    transformed = transform(template, {}, NoManagedPolicies())
    for resource in transformed["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Url":
            # The reasons for skipping a check stand at the function, the generated URL has none of its own.
            alias = transformed["Resources"][resource["Properties"]["TargetFunctionArn"]["Ref"]]
            function = alias["Properties"]["FunctionName"]["Ref"]
            resource["Metadata"] = transformed["Resources"][function]["Metadata"]
    json.dump(transformed, sys.stdout, indent=2, default=str)


if __name__ == "__main__":
    main()
